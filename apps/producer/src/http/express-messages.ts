/** Classes of requests and responses whose prototypes are those of an Express app. */

import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * Options with which an HTTP server makes the requests and responses of an app.
 *
 * Express sets the prototypes of each request and response. After such a change V8 finds none of their properties in its
 * caches, in Node's own code either. With these classes the prototypes are already set, and setting them again does nothing.
 */
export function expressMessages(app: Express): {
  IncomingMessage: typeof IncomingMessage;
  ServerResponse: typeof ServerResponse;
} {
  return {
    IncomingMessage: subclass(IncomingMessage, app.request),
    ServerResponse: subclass(ServerResponse, app.response),
  };
}

/** A class like `base` whose instances have this prototype. */
function subclass<Class extends typeof IncomingMessage | typeof ServerResponse>(
  base: Class,
  prototype: object,
): Class {
  // A function, because the prototype of a class cannot be replaced. Node's classes are functions too.
  function Message(this: object, ...args: unknown[]): void {
    Reflect.apply(base, this, args);
  }
  Message.prototype = prototype;
  return Message as unknown as Class;
}

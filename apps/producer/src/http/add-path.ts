/** Registers a path with its methods; every route file uses it. */

import { RequestError } from '@embedmill/contract';
import type { Request, RequestHandler, Response, Router } from 'express';

/** Handlers of a path by method; `get` also handles HEAD. */
export type PathHandlers = Partial<Record<'get' | 'post' | 'patch' | 'delete', PathHandler>>;

/** Handles a request. Errors that it throws or rejects with are sent by the error handler. */
export type PathHandler = (req: Request, res: Response) => Promise<void> | void;

/**
 * Registers a path. Other methods are answered with 405 and `Allow`; OPTIONS is answered with `Allow` alone.
 */
export function addPath(router: Router, path: string, handlers: PathHandlers): void {
  const allowed = ['OPTIONS', ...(handlers.get === undefined ? [] : ['HEAD'])];
  const route = router.route(path);
  for (const [method, handle] of Object.entries(handlers)) {
    allowed.push(method.toUpperCase());
    const handler: RequestHandler = (req, res) => handle(req, res);
    route[method as keyof PathHandlers](handler);
  }
  const allow = allowed.sort().join(', ');
  route.all((req, res) => {
    res.setHeader('Allow', allow);
    if (req.method === 'OPTIONS') {
      res.status(204).end();
      return;
    }
    throw new RequestError('method-not-allowed', `${path} accepts ${allow}; got ${req.method}`, {
      facts: { allow: allowed },
    });
  });
}

/** The path parameter `:id`. */
export function idOf(req: Request): string {
  return String(req.params.id);
}

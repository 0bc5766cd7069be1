/** Lists the routes of an Express app, for tests that compare tables with them. */

import type { Express } from 'express';

/** One route. */
export interface FoundRoute {
  method: string;
  /** In the syntax of Express, with `:id`. */
  path: string;
}

/** The internals of Express (router 2.x) that this reads. */
interface Layer {
  route?: { path: string; methods: Record<string, boolean | undefined> };
  handle?: { stack?: Layer[] };
}

/** Every method of every path except OPTIONS and HEAD, which all paths have. */
export function routesOf(app: Express): FoundRoute[] {
  const { stack } = app.router as unknown as { stack: Layer[] };
  return stack.flatMap(routesIn);
}

function routesIn({ route, handle }: Layer): FoundRoute[] {
  if (route === undefined) return (handle?.stack ?? []).flatMap(routesIn);
  return Object.keys(route.methods)
    .filter((method) => !['_all', 'options', 'head'].includes(method))
    .map((method) => ({ method: method.toUpperCase(), path: route.path }));
}

/** Lists the routes of an express app as it was put together; for tests that hold tables against it. */

import type { Express } from 'express';

/** One route. */
export interface FoundRoute {
  method: string;
  /** As in Express, with `:id`. */
  path: string;
}

/** As far as this looks into Express (router 2.x). */
interface Layer {
  route?: { path: string; methods: Record<string, boolean | undefined> };
  handle?: { stack?: Layer[] };
}

/** Every method of every path but OPTIONS and HEAD, which all have. */
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

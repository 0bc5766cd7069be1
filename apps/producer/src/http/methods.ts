/** Declares which methods a path takes; every route file uses it. */

import { RequestError } from '@embedmill/contract';
import type { Request, RequestHandler, Response, Router } from 'express';

/** What a path does, by method; `get` answers HEAD too. */
export type Methods = Partial<Record<'get' | 'post' | 'delete', Answer>>;

/** Answers a request; what it throws or rejects with becomes a problem. */
export type Answer = (req: Request, res: Response) => Promise<void> | void;

/** Adds a path. Other methods get 405 with `Allow`, OPTIONS gets the list alone. */
export function addPath(router: Router, path: string, methods: Methods): void {
  const allowed = ['OPTIONS', ...(methods.get === undefined ? [] : ['HEAD'])];
  const route = router.route(path);
  for (const [method, answer] of Object.entries(methods)) {
    allowed.push(method.toUpperCase());
    const handler: RequestHandler = (req, res) => answer(req, res);
    route[method as keyof Methods](handler);
  }
  const allow = allowed.sort().join(', ');
  route.all((req, res) => {
    res.setHeader('Allow', allow);
    if (req.method === 'OPTIONS') {
      res.status(204).end();
      return;
    }
    throw new RequestError('method-not-allowed', `${path} takes ${allow}; got ${req.method}`, {
      facts: { allow: allowed },
    });
  });
}

/** The parameter `:id` of the path. */
export function idOf(req: Request): string {
  return String(req.params.id);
}

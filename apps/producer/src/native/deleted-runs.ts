/** Reports a request that failed because its run was deleted during the request as `unknown-run`. */

import { quote, RequestError } from '@embedmill/contract';
import type { ErrorRequestHandler } from 'express';
import { asKnownError } from '../http/errors.ts';
import { statusOf } from '../http/problems.ts';
import type { RouteDeps } from '../http/types.ts';

/** Errors of files that vanished with their run look like damaged files; all other errors pass. */
export function reportDeletedRuns({ service }: Pick<RouteDeps, 'service'>): ErrorRequestHandler {
  return (thrown, req, _res, next) => {
    const id = /^\/v1\/runs\/([^/]+)/i.exec(req.path)?.[1];
    const isInternal = statusOf(asKnownError(thrown).code) === 500;
    if (id === undefined || !isInternal || !wasRemoved(service, id)) next(thrown);
    else next(new RequestError('unknown-run', `run ${quote(id)} was deleted during this request`));
  };
}

/** False while the producer cannot know. */
function wasRemoved(service: RouteDeps['service'], id: string): boolean {
  try {
    return service.runs().isRemoved(id);
  } catch {
    return false;
  }
}

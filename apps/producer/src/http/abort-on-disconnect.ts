/** Tells a route that its client left, so that it can stop working for it. */

import { RequestError } from '@embedmill/contract';
import type { Response } from 'express';

/** Aborted when the connection closes before the answer is out. */
export function whenGone(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(new RequestError('client-gone', 'the client is gone'));
  });
  return controller.signal;
}

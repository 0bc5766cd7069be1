/** The last step of every request that failed: one answer, and a line in the log when the fault is ours. */

import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import { dialectOf } from '../dialects.ts';
import { asKnownError } from './known-error.ts';
import { statusOf } from './problems.ts';
import { requestIdOf } from './request-id.ts';

/** @param log told about everything that is answered with 500 */
export function answerErrors(log: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, req, res, _next) => {
    const error = asKnownError(thrown);
    const requestId = requestIdOf(res);
    // Nobody is there to read an answer; what failed is the reading of the body or the wait for its client.
    if (req.socket.destroyed) {
      log.debug({ requestId, code: error.code, reason: error.message }, 'the client is gone');
      return;
    }
    if (statusOf(error.code) === 500) log.error({ requestId, err: error.cause ?? error }, 'a request failed');
    // A half answer must not look like a whole one.
    if (res.headersSent) res.destroy();
    else dialectOf(req.path)(res, error);
  };
}

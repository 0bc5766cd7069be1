/** Names every request: the name stands in its answer, in its problems and in the log. */

import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

/** What a caller may give: no spaces, no control characters, nothing that breaks a log line. */
const SANE = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** Takes the caller's `X-Request-Id` if it is sane, else makes one, and sets it on the answer. */
export const nameRequests: RequestHandler = (req, res, next) => {
  const given = req.get('x-request-id');
  res.locals.requestId = given !== undefined && SANE.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', requestIdOf(res));
  next();
};

/** The name of the request that this answer is for. */
export function requestIdOf(res: Response): string {
  return String(res.locals.requestId);
}

/** Gives every request an id, which is in its response headers, its problem documents and the log. */

import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

/** No spaces, no control characters, nothing that breaks a log line. */
const VALID_REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** Adopts a valid `X-Request-Id` or creates an id, and sets it on the response. */
export const assignRequestId: RequestHandler = (req, res, next) => {
  const given = req.get('x-request-id');
  res.locals.requestId = given !== undefined && VALID_REQUEST_ID.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', requestIdOf(res));
  next();
};

/** The id of the request that this response belongs to. */
export function requestIdOf(res: Response): string {
  return String(res.locals.requestId);
}

/** One line in the log per request: what was asked, what was answered and how long it took; never bodies or queries. */

import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { requestIdOf } from './request-id.ts';

/** Asked every few seconds by machines. */
const FREQUENT = new Set(['/healthz', '/readyz', '/metrics']);

/** Writes the line when the answer is out or the client is gone. */
export function logRequests(log: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once('close', () => {
      const route: string = req.route?.path ?? 'none';
      const line = {
        requestId: requestIdOf(res),
        method: req.method,
        route,
        status: res.statusCode,
        durationMs: Math.round(performance.now() - startedAt),
        ...(res.writableFinished ? {} : { brokenOff: true }),
      };
      if (FREQUENT.has(route)) log.debug(line, 'request');
      else log.info(line, 'request');
    });
    next();
  };
}

/** Puts every request into a span of the trace that its caller names, so that what it enqueues is found again at the workers. */

import type { Tracing } from '@embedmill/core/telemetry';
import type { RequestHandler } from 'express';
import { requestIdOf } from './request-id.ts';

/** Asked by machines every few seconds; nobody looks for their traces. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/** Opens the span before the routes and closes it when the answer is out or the client is gone. */
export function traceRequests(tracing: Tracing): RequestHandler {
  return (req, res, next) => {
    if (UNTRACED.has(req.path)) {
      next();
      return;
    }
    tracing.request(req.headers, (span) => {
      res.once('close', () => {
        const route: string = req.route?.path ?? 'none';
        const attributes = {
          'http.request.method': req.method,
          'http.route': route,
          'http.response.status_code': res.statusCode,
          'embedmill.request': requestIdOf(res),
        };
        span.end(`${req.method} ${route}`, attributes, res.statusCode >= 500 || !res.writableFinished);
      });
      next();
    });
  };
}

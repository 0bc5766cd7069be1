/** Opens a span for every request in the trace of its caller, which continues in the workers. */

import type { Tracing } from '@embedmill/core/telemetry';
import type { RequestHandler } from 'express';
import { requestIdOf } from './request-id.ts';

/** Routes that monitoring requests every few seconds; their traces are of no use. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Opens the span before the routes run and ends it once the response is sent or the client has disconnected.
 */
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

/** Writes one log line per request and counts it: route, status and duration, never bodies or queries. */

import type { Request, RequestHandler } from 'express';
import { callerOf } from '../access/index.ts';
import { requestIdOf } from './request-id.ts';
import type { RouteDeps } from './types.ts';

/** Routes that programs request every few seconds: probes, Prometheus, and clients that wait for a run. */
const FREQUENT = new Set(['/healthz', '/readyz', '/metrics', '/v1/runs/:id', '/v1/batches/:id']);

/** Maximum characters of a run's id in the log; valid ids are shorter. */
const MAX_ID_CHARS = 64;

/** Logs and counts a request once its response is sent or its client has disconnected. */
export function logRequests({ log, service }: Pick<RouteDeps, 'log' | 'service'>): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once('close', () => {
      const route: string = req.route?.path ?? 'none';
      const durationMs = performance.now() - startedAt;
      service.countRequest({
        method: req.method,
        route: req.route?.path,
        status: res.statusCode,
        seconds: durationMs / 1000,
      });
      const line = {
        requestId: requestIdOf(res),
        method: req.method,
        route,
        status: res.statusCode,
        ...(runOf(req) === undefined ? {} : { run: runOf(req) }),
        durationMs: Math.round(durationMs),
        ...(callerOf(res) === undefined ? {} : { key: callerOf(res)?.name }),
        ...(res.writableFinished ? {} : { brokenOff: true }),
      };
      if (FREQUENT.has(route) && req.method === 'GET' && res.statusCode < 400) log.debug(line, 'request');
      else log.info(line, 'request');
    });
    next();
  };
}

/** The run in the path of a request; shortened, because it may be any text. */
function runOf(req: Request): string | undefined {
  const { id } = req.params;
  return typeof id === 'string' && req.route?.path.startsWith('/v1/runs/')
    ? id.slice(0, MAX_ID_CHARS)
    : undefined;
}

/** One line in the log and one count per request: what was asked, what was answered and how long it took; never bodies or queries. */

import type { Request, RequestHandler } from 'express';
import { callerOf } from '../access/index.ts';
import { requestIdOf } from './request-id.ts';
import type { ApiDeps } from './types.ts';

/** Asked every few seconds or oftener by machines: probes, Prometheus, and clients that wait for a run. */
const FREQUENT = new Set(['/healthz', '/readyz', '/metrics', '/v1/runs/:id', '/v1/batches/:id']);

/** Characters of a run's id in the log; ours have fewer. */
const MAX_ID_CHARS = 64;

/** Writes the line and counts the request when the answer is out or the client is gone. */
export function logRequests({ log, service }: Pick<ApiDeps, 'log' | 'service'>): RequestHandler {
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

/** The run that the request is about; cut, because callers can write anything there. */
function runOf(req: Request): string | undefined {
  const { id } = req.params;
  return typeof id === 'string' && req.route?.path.startsWith('/v1/runs/')
    ? id.slice(0, MAX_ID_CHARS)
    : undefined;
}

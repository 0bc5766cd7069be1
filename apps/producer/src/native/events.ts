/** Tells clients how things go on, as server-sent events (HTML standard, 9.2): one run, or everything. */

import type { Run } from '@embedmill/core/runs';
import { Router } from 'express';
import { EventStream } from '../http/event-stream.ts';
import { addPath, idOf } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { ApiLimits, RouteParts } from '../http/types.ts';

/**
 * Of a run: `progress` with the run whenever it changed, `end` when it has ended; then the stream closes. Of everything:
 * `overview`, for as long as the client stays.
 */
export function eventRoutes({ service, limits }: RouteParts): Router {
  const router = Router();
  addPath(router, '/v1/runs/:id/events', {
    get: (req, res) => {
      const run = service.runs().get(idOf(req));
      const stream = new EventStream(res);
      if (req.method === 'HEAD') res.end();
      else followRun(run, stream, limits);
    },
  });
  addPath(router, '/v1/overview', {
    get: async (_req, res) => sendJson(res, 200, await service.overview()),
  });
  addPath(router, '/v1/events', {
    get: (req, res) => {
      const stream = new EventStream(res);
      if (req.method === 'HEAD') res.end();
      else followOverview(() => service.overview(), stream, limits);
    },
  });
  return router;
}

function followRun(run: Run, stream: EventStream, limits: ApiLimits): void {
  let shown = '';
  let spokeAt = Date.now();
  const look = (): void => {
    const json = JSON.stringify(run.info());
    if (!run.isActive) {
      clearInterval(timer);
      stream.end('end', json);
      return;
    }
    // A client that reads slowly misses states, and gets the newest when it is ready.
    if (stream.isFull) return;
    if (json !== shown) stream.send('progress', json);
    else if (Date.now() - spokeAt >= limits.eventKeepAliveMs) stream.keepAlive();
    else return;
    shown = json;
    spokeAt = Date.now();
  };
  const timer = setInterval(look, limits.progressIntervalMs);
  stream.onClose(() => clearInterval(timer));
  look();
}

/** The next look is taken an interval after the last one was answered, so that a slow Redis does not pile them up. */
function followOverview(look: () => Promise<object>, stream: EventStream, limits: ApiLimits): void {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  stream.onClose(() => {
    isClosed = true;
    clearTimeout(timer);
  });
  const tell = async (): Promise<void> => {
    if (!stream.isFull) {
      const json = JSON.stringify(await look());
      if (!isClosed) stream.send('overview', json);
    }
    if (!isClosed) timer = setTimeout(tell, limits.overviewIntervalMs);
  };
  void tell();
}

/** Routes for the overview, and server-sent events (HTML standard, 9.2) for one run or the overview. */

import type { Run } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath, idOf } from '../http/add-path.ts';
import { EventStream } from '../http/event-stream.ts';
import { sendJson } from '../http/send.ts';
import type { ApiLimits, RouteDeps } from '../http/types.ts';

/**
 * The stream of a run sends `progress` with the run whenever it has changed and closes with `end` once it has
 * ended. The stream of the overview sends `overview` until the client disconnects.
 */
export function eventRoutes({ service, limits }: RouteDeps): Router {
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
  let sent = '';
  let sentAt = performance.now();
  const sendProgress = (): void => {
    const json = JSON.stringify(run.info());
    if (!run.isActive) {
      clearInterval(timer);
      stream.end('end', json);
      return;
    }
    // A slow client skips states and gets the newest one when it is ready.
    if (stream.isFull) return;
    if (json !== sent) stream.send('progress', json);
    else if (performance.now() - sentAt >= limits.eventKeepAliveMs) stream.keepAlive();
    else return;
    sent = json;
    sentAt = performance.now();
  };
  const timer = setInterval(sendProgress, limits.progressIntervalMs);
  stream.onClose(() => clearInterval(timer));
  sendProgress();
}

/**
 * Each interval starts after the previous read has finished, so that reads do not pile up when Redis is slow.
 */
function followOverview(read: () => Promise<object>, stream: EventStream, limits: ApiLimits): void {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  stream.onClose(() => {
    isClosed = true;
    clearTimeout(timer);
  });
  const sendOverview = async (): Promise<void> => {
    if (!stream.isFull) {
      const json = JSON.stringify(await read());
      if (!isClosed) stream.send('overview', json);
    }
    if (!isClosed) timer = setTimeout(sendOverview, limits.overviewIntervalMs);
  };
  void sendOverview();
}

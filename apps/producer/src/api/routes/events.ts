/** Tells clients how a run goes on, as server-sent events (HTML standard, 9.2). */

import type { Run } from '@embedmill/core';
import { type Response, Router } from 'express';
import { addPath, idOf } from '../methods.ts';
import type { ApiLimits, RouteParts } from '../types.ts';

/** `progress` with the run whenever it changed, `end` when it has ended; then the stream closes. */
export function eventRoutes({ service, limits }: RouteParts): Router {
  const router = Router();
  addPath(router, '/v1/runs/:id/events', {
    get: (req, res) => {
      const run = service.runs().get(idOf(req));
      res.status(200);
      res.setHeader('Content-Type', 'text/event-stream');
      res.setHeader('Cache-Control', 'no-store');
      // nginx would hold events back to fill its buffer.
      res.setHeader('X-Accel-Buffering', 'no');
      if (req.method === 'HEAD') res.end();
      else follow(run, res, limits);
    },
  });
  return router;
}

function follow(run: Run, res: Response, limits: ApiLimits): void {
  let shown = '';
  let spokeAt = Date.now();
  const look = (): void => {
    const json = JSON.stringify(run.info());
    if (!run.isActive) {
      clearInterval(timer);
      res.end(eventOf('end', json));
      return;
    }
    // A client that reads slowly misses states, and gets the newest when it is ready.
    if (res.writableNeedDrain) return;
    if (json !== shown) res.write(eventOf('progress', json));
    else if (Date.now() - spokeAt >= limits.eventKeepAliveMs) res.write(': still here\n\n');
    else return;
    shown = json;
    spokeAt = Date.now();
  };
  const timer = setInterval(look, limits.progressIntervalMs);
  res.once('close', () => clearInterval(timer));
  res.flushHeaders();
  look();
}

function eventOf(event: 'progress' | 'end', json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}

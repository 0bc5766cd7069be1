/** Routes for monitoring and scaling: liveness, readiness, health, metrics and the required number of workers. */

import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { sendBytes } from '../http/compression.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/**
 * `/healthz` depends on nothing but the process; `/readyz` and `/v1/health` list what is wrong; `/v1/scale` needs Redis.
 */
export function healthRoutes({ service, version }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/healthz', {
    get: (_req, res) => sendJson(res, 200, { status: 'ok', version }),
  });
  addPath(router, '/readyz', {
    get: async (_req, res) => {
      const { problems } = await service.health();
      const reasons = problems.filter(({ refusesRows }) => refusesRows).map(({ sentence }) => sentence);
      sendJson(res, reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
    },
  });
  addPath(router, '/v1/health', {
    get: async (_req, res) => sendJson(res, 200, await service.health()),
  });
  addPath(router, '/metrics', {
    get: async (_req, res) => {
      const { contentType, body } = await service.metrics();
      sendBytes(res, contentType, Buffer.from(body));
    },
  });
  // KEDA's metrics-api trigger and `embedmill autoscale` read it.
  addPath(router, '/v1/scale', {
    get: async (_req, res) => sendJson(res, 200, await service.scale()),
  });
  return router;
}

/** What machines ask: is the process alive, could a run be accepted, what do the counters say. */

import { asError } from '@embedmill/contract';
import { Router } from 'express';
import { addPath } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';

/** `/healthz` needs nothing but the process; `/readyz` says what is missing. */
export function healthRoutes({ service, version }: RouteParts): Router {
  const router = Router();
  addPath(router, '/healthz', {
    get: (_req, res) => sendJson(res, 200, { status: 'ok', version }),
  });
  addPath(router, '/readyz', {
    get: async (_req, res) => {
      const readiness = await service
        .readiness()
        .catch((error) => ({ ready: false, reasons: [asError(error).message] }));
      sendJson(res, readiness.ready ? 200 : 503, readiness);
    },
  });
  addPath(router, '/metrics', {
    get: async (_req, res) => {
      const { contentType, body } = await service.metrics();
      res.setHeader('Content-Type', contentType);
      res.send(Buffer.from(body));
    },
  });
  return router;
}

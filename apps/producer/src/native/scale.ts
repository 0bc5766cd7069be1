/** GET /v1/scale: how many workers the backlog asks for; KEDA's metrics-api trigger and `embedmill autoscale` read it. */

import { Router } from 'express';
import { addPath } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';

/** Answers 503 while Redis does not say how many workers there are. */
export function scaleRoutes({ service }: RouteParts): Router {
  const router = Router();
  addPath(router, '/v1/scale', {
    get: async (_req, res) => sendJson(res, 200, await service.scale()),
  });
  return router;
}

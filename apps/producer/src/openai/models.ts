/** GET /v1/models: the one model of this fleet, under its own name; calls may use any of its names. */

import { Router } from 'express';
import { checkModel } from '../compatible/models.ts';
import { addPath } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { modelOf } from '../model.ts';

export function modelRoutes({ config }: RouteParts): Router {
  const router = Router();
  // Nobody published the model here; clients want a time, and this is when it became available under this address.
  const created = Math.floor(Date.now() / 1000);
  const describe = (id: string) => ({ id, object: 'model', created, owned_by: 'embedmill' });
  addPath(router, '/v1/models', {
    get: (_req, res) => sendJson(res, 200, { object: 'list', data: [describe(modelOf(config))] }),
  });
  // The name may hold a slash: clients send it encoded or as it is.
  addPath(router, '/v1/models/*name', {
    get: (req, res) => {
      const name = ([] as string[]).concat(req.params.name ?? []).join('/');
      checkModel(name, config);
      sendJson(res, 200, describe(name));
    },
  });
  return router;
}

/** GET /v1/models: the served model under its primary name; calls may use any of its names. */

import { Router } from 'express';
import { assertServedModel, modelOf } from '../compatible/models.ts';
import { addPath } from '../http/add-path.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/** `/v1/models` and below. */
export function openAiModelRoutes({ config }: RouteDeps): Router {
  const router = Router();
  // Clients expect a time; this is when the model became available at this address.
  const created = Math.floor(Date.now() / 1000);
  const describe = (id: string) => ({ id, object: 'model', created, owned_by: 'embedmill' });
  addPath(router, '/v1/models', {
    get: (_req, res) => sendJson(res, 200, { object: 'list', data: [describe(modelOf(config))] }),
  });
  // The name may contain a slash, which some clients do not encode.
  addPath(router, '/v1/models/*name', {
    get: (req, res) => {
      const name = ([] as string[]).concat(req.params.name ?? []).join('/');
      assertServedModel(name, config);
      sendJson(res, 200, describe(name));
    },
  });
  return router;
}

/** GET /v1/models, also without /v1: the served model; calls may use any of its names. */

import { Router } from 'express';
import { assertServedModel, listedNamesOf } from '../compatible/models.ts';
import { addPath } from '../http/add-path.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/** `/v1/models`, `/models` and below. */
export function openAiModelRoutes({ config }: RouteDeps): Router {
  const router = Router();
  // Clients expect a time; this is when the model became available at this address.
  const created = Math.floor(Date.now() / 1000);
  const describe = (id: string) => ({ id, object: 'model', created, owned_by: 'embedmill' });
  for (const base of ['/v1', '']) {
    addPath(router, `${base}/models`, {
      get: (_req, res) => sendJson(res, 200, { object: 'list', data: listedNamesOf(config).map(describe) }),
    });
    // The name may contain a slash, which some clients do not encode.
    addPath(router, `${base}/models/*name`, {
      get: (req, res) => {
        const name = ([] as string[]).concat(req.params.name ?? []).join('/');
        assertServedModel(name, config);
        sendJson(res, 200, describe(name));
      },
    });
  }
  return router;
}

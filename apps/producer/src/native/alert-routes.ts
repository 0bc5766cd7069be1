/** /v1/alerts: receives the alerts of Alertmanager and lists those that fire. */

import { Router } from 'express';
import { alertsBody } from '../health/firing-alerts.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/** Maximum body: the 100 alerts to which infra/alertmanager limits one message, of up to 2.5 KB each. */
const MAX_BODY_BYTES = 256 * 1024;

/** `/v1/alerts`. */
export function alertRoutes({ service, limits }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: MAX_BODY_BYTES, stallMs: limits.bodyStallMs };
  addPath(router, '/v1/alerts', {
    get: (_req, res) => sendJson(res, 200, { alerts: service.alerts().list() }),
    post: async (req, res) => {
      service.alerts().receive(checkInput(alertsBody, 'body', await readJsonBody(req, bodyLimits)));
      res.status(204).end();
    },
  });
  return router;
}

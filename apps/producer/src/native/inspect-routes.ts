/** The route that says how a file would be read, judged by its first bytes. */

import { BUILT_IN_MODEL, describeScripts } from '@embedmill/contract';
import { planSample } from '@embedmill/core/formats';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { readWhole } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { inspectQuery } from './schemas.ts';

/** Maximum bytes of the start of a file. */
const MAX_BYTES = 1024 * 1024;

/** `/v1/inspect`. */
export function inspectRoutes({ config, limits }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/v1/inspect', {
    post: async (req, res) => {
      const { name, complete, ...choices } = checkInput(inspectQuery, 'query', req.query);
      const bytes = await readWhole(req, { maxBytes: MAX_BYTES, stallMs: limits.bodyStallMs });
      const options = { maxRowBytes: config.maxRowBytes };
      const plan = await planSample(name, { bytes, complete }, choices, options);
      const warning = describeScripts(plan.scripts, config.model ?? BUILT_IN_MODEL);
      const warnings = [...plan.warnings, ...(warning === null ? [] : [warning])];
      sendJson(res, 200, { ...plan, warnings });
    },
  });
  return router;
}

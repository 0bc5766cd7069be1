/**
 * The route that lists the models that runs may use.
 *
 * Decision: docs/decisions/0195.
 */

import { catalogueModelOf, type RunModel, type RunModels } from '@embedmill/contract';
import { Router } from 'express';
import { modelOf } from '../compatible/models.ts';
import { addPath } from '../http/add-path.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/** `/v1/run-models`. */
export function modelRoutes({ service, config }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/v1/run-models', {
    get: async (_req, res) => {
      const [announced, offered] = await Promise.all([service.lane().models(), service.offeredModels()]);
      const models = offered.map(({ name, isLoaded }): RunModel => {
        const { dim, maxTokens, prompts, scripts, baseline } = announced.get(name) ?? {};
        return {
          name,
          isLoaded,
          dim: dim ?? null,
          maxTokens: maxTokens ?? null,
          prompts: prompts ?? catalogueModelOf(name)?.prompts ?? null,
          scripts: scripts ?? null,
          baseline: baseline ?? null,
        };
      });
      sendJson(res, 200, { default: modelOf(config), models } satisfies RunModels);
    },
  });
  return router;
}

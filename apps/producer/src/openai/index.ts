/** The routes of the OpenAI API: embeddings, models, files and batches. */

import { Router } from 'express';
import { openAiBatchRoutes } from './batches/batch-routes.ts';
import { openAiEmbeddingsRoutes } from './embeddings-routes.ts';
import { openAiFileRoutes } from './files/file-routes.ts';
import { openAiModelRoutes } from './model-routes.ts';
import type { OpenAiRouteDeps } from './types.ts';

/** All routes of the API. */
export function openAiRoutes(deps: OpenAiRouteDeps): Router {
  return Router().use(
    openAiEmbeddingsRoutes(deps),
    openAiModelRoutes(deps),
    openAiFileRoutes(deps),
    openAiBatchRoutes(deps),
  );
}

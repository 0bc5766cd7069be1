/** The OpenAI API: embeddings, models, files and batches. */

import { Router } from 'express';
import type { RouteParts } from '../http/types.ts';
import { batchRoutes } from './batches.ts';
import { embeddingsRoutes } from './embeddings.ts';
import { fileRoutes } from './files.ts';
import { modelRoutes } from './models.ts';

export function openAiRoutes(parts: RouteParts): Router {
  return Router().use(embeddingsRoutes(parts), modelRoutes(parts), fileRoutes(parts), batchRoutes(parts));
}

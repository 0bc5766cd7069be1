/** The routes of the Ollama API. */

import { Router } from 'express';
import type { RouteDeps } from '../http/types.ts';
import { ollamaEmbedRoutes } from './embed-routes.ts';
import { ollamaModelRoutes } from './model-routes.ts';

/** All routes of the API. */
export function ollamaRoutes(deps: RouteDeps): Router {
  return Router().use(ollamaEmbedRoutes(deps), ollamaModelRoutes(deps));
}

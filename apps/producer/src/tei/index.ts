/** The routes of the API of Hugging Face's Text Embeddings Inference. */

import { Router } from 'express';
import type { RouteDeps } from '../http/types.ts';
import { teiEmbedRoutes } from './embed-routes.ts';
import { teiInfoRoutes } from './info-routes.ts';

/** All routes of the API. */
export function teiRoutes(deps: RouteDeps): Router {
  return Router().use(teiEmbedRoutes(deps), teiInfoRoutes(deps));
}

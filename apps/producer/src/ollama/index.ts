/** The Ollama API. */

import { Router } from 'express';
import type { RouteParts } from '../http/types.ts';
import { describeRoutes } from './describe.ts';
import { embedRoutes } from './embed.ts';

export function ollamaRoutes(parts: RouteParts): Router {
  return Router().use(embedRoutes(parts), describeRoutes(parts));
}

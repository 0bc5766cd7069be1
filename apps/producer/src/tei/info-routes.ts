/** GET /info and /health, as in Text Embeddings Inference. */

import { Router } from 'express';
import { MAX_CALL_TOKENS, MAX_INPUTS } from '../compatible/inputs.ts';
import { addPath } from '../http/add-path.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { TeiError } from './errors.ts';

/** `/info` and `/health`. */
export function teiInfoRoutes({ service, version }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/info', {
    get: async (_req, res) => {
      const { name, maxTokens, dim, fingerprint } = await service.lane().model();
      sendJson(res, 200, {
        model_id: `sentence-transformers/${name}`,
        model_sha: null,
        model_dtype: 'int8',
        served_model_name: name,
        model_type: { embedding: { pooling: 'mean' } },
        max_concurrent_requests: null,
        max_input_length: maxTokens,
        max_batch_tokens: MAX_CALL_TOKENS,
        max_batch_requests: null,
        max_client_batch_size: MAX_INPUTS,
        auto_truncate: true,
        tokenization_workers: null,
        version,
        sha: null,
        docker_label: null,
        // Not in the original API.
        dimensions: dim,
        fingerprint,
      });
    },
  });
  addPath(router, '/health', {
    get: async (_req, res) => {
      const { state } = await service.health();
      if (state === 'unavailable') throw new TeiError('Unhealthy', 'unhealthy');
      await service.lane().model();
      res.status(200).end();
    },
  });
  return router;
}

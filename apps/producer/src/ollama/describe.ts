/** What Ollama says about models: /api/tags, /api/ps, /api/show, /api/version and the greeting at /. */

import { createHash } from 'node:crypto';
import { UnavailableError } from '@embedmill/contract';
import type { ModelDescription } from '@embedmill/core/redis';
import { Router } from 'express';
import { checkModel, namesOf } from '../compatible/models.ts';
import { readAnyJson } from '../http/body.ts';
import { addPath } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { modelOf } from '../model.ts';
import { checkBody, showBody } from './schemas.ts';

/** The release of Ollama whose embedding calls these are; clients compare it before they use `/api/embed`. */
const OLLAMA_VERSION = '0.12.0';

/** Nothing is unloaded here; Ollama says so with a time that never comes. */
const NEVER = '9999-12-31T23:59:59Z';

/** What is known without asking a worker. */
const BUILT_IN_DETAILS = { family: 'bert', families: ['bert'], parameter_size: '22.7M' };

export function describeRoutes({ service, config, limits, version }: RouteParts): Router {
  const router = Router();
  const startedAt = new Date().toISOString();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };
  const name = `${(config.model === undefined ? namesOf(config).at(-1) : modelOf(config)) ?? ''}:latest`;

  const detailsOf = (model?: ModelDescription) => ({
    parent_model: '',
    format: 'onnx',
    ...(config.model === undefined ? BUILT_IN_DETAILS : { family: '', families: [], parameter_size: '' }),
    quantization_level: 'int8',
    ...(model === undefined ? {} : { context_length: model.maxTokens, embedding_length: model.dim }),
  });
  const describe = (model?: ModelDescription) => ({
    name,
    model: name,
    // How much the files take is known to the workers alone.
    size: 0,
    digest: createHash('sha256')
      .update(`${name} ${model?.fingerprint ?? ''}`)
      .digest('hex'),
    details: detailsOf(model),
  });
  /** `undefined` while no worker has said anything. */
  const askWorkers = async (): Promise<ModelDescription | undefined> => {
    try {
      return await service.lane().model();
    } catch (error) {
      if (error instanceof UnavailableError) return undefined;
      throw error;
    }
  };

  addPath(router, '/api/tags', {
    get: async (_req, res) => {
      const described = {
        ...describe(await askWorkers()),
        modified_at: startedAt,
        capabilities: ['embedding'],
      };
      sendJson(res, 200, { models: [described] });
    },
  });
  addPath(router, '/api/ps', {
    get: async (_req, res) => {
      const model = await askWorkers();
      const loaded = model && {
        ...describe(model),
        expires_at: NEVER,
        size_vram: 0,
        context_length: model.maxTokens,
      };
      sendJson(res, 200, { models: loaded === undefined ? [] : [loaded] });
    },
  });
  addPath(router, '/api/show', {
    post: async (req, res) => {
      const body = checkBody(showBody, await readAnyJson(req, bodyLimits));
      checkModel(body.model, config);
      const model = await service.lane().model();
      sendJson(res, 200, {
        modelfile: '',
        parameters: '',
        template: '',
        details: detailsOf(model),
        // Clients look for a key that ends in `.embedding_length` to learn the size of a vector.
        model_info: {
          'general.architecture': 'bert',
          'general.basename': model.name,
          'bert.context_length': model.maxTokens,
          'bert.embedding_length': model.dim,
        },
        capabilities: ['embedding'],
        modified_at: startedAt,
      });
    },
  });
  addPath(router, '/api/version', {
    get: (_req, res) => sendJson(res, 200, { version: OLLAMA_VERSION, embedmill: version }),
  });
  // Clients look here whether a server runs. A browser is given the dashboard, by the route after this one.
  router.get('/', (req, res, next) => {
    if (req.get('accept')?.includes('text/html')) next();
    else res.type('text/plain').send('Ollama is running');
  });
  return router;
}

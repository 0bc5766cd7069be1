/** Describes the served model as Ollama does: /api/tags, /api/ps, /api/show, /api/pull, /api/version and /. */

import { createHash } from 'node:crypto';
import { UnavailableError } from '@embedmill/contract';
import type { ModelDescription } from '@embedmill/core/redis';
import { Router } from 'express';
import { assertServedModel, isServedModel, ollamaNamesOf } from '../compatible/models.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonOfAnyType } from '../http/body.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { OllamaError } from './errors.ts';
import { ollamaPullBody, ollamaShowBody, parseOllamaBody } from './schemas.ts';

/** The Ollama release with the same embedding calls; clients check it before they use `/api/embed`. */
const OLLAMA_VERSION = '0.12.0';

/** Models are never unloaded; a time in the far future says so. */
const NEVER = '9999-12-31T23:59:59Z';

/** What Ollama reports when it pulls a model that is up to date, without the lines about its files. */
const PULL_STATUSES = ['pulling manifest', 'success'];

/** Facts about the built-in model that do not need a worker. */
const BUILT_IN_DETAILS = { family: 'bert', families: ['bert'], parameter_size: '22.7M' };

/** `/api/tags`, `/api/ps`, `/api/show`, `/api/pull`, `/api/version` and `/`. */
export function ollamaModelRoutes({ service, config, limits, version }: RouteDeps): Router {
  const router = Router();
  const startedAt = new Date().toISOString();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };
  const names = ollamaNamesOf(config);

  const detailsOf = (model?: ModelDescription) => ({
    parent_model: '',
    format: 'onnx',
    ...(config.model === undefined ? BUILT_IN_DETAILS : { family: '', families: [], parameter_size: '' }),
    quantization_level: 'int8',
    ...(model === undefined ? {} : { context_length: model.maxTokens, embedding_length: model.dim }),
  });
  /** One entry per name, with one digest, as Ollama lists copies of a model. */
  const describe = (name: string, model?: ModelDescription) => ({
    name,
    model: name,
    // Only the workers know the size of the model files.
    size: 0,
    digest: createHash('sha256')
      .update(`${names[0]} ${model?.fingerprint ?? ''}`)
      .digest('hex'),
    details: detailsOf(model),
  });
  /** `undefined` while no worker has described its model. */
  const readModel = async (): Promise<ModelDescription | undefined> => {
    try {
      return await service.lane().model();
    } catch (error) {
      if (error instanceof UnavailableError) return undefined;
      throw error;
    }
  };

  addPath(router, '/api/tags', {
    get: async (_req, res) => {
      const model = await readModel();
      const models = names.map((name) => ({
        ...describe(name, model),
        modified_at: startedAt,
        capabilities: ['embedding'],
      }));
      sendJson(res, 200, { models });
    },
  });
  addPath(router, '/api/ps', {
    get: async (_req, res) => {
      const model = await readModel();
      const models =
        model === undefined
          ? []
          : names.map((name) => ({
              ...describe(name, model),
              expires_at: NEVER,
              size_vram: 0,
              context_length: model.maxTokens,
            }));
      sendJson(res, 200, { models });
    },
  });
  addPath(router, '/api/show', {
    post: async (req, res) => {
      const body = parseOllamaBody(ollamaShowBody, await readJsonOfAnyType(req, bodyLimits));
      assertServedModel(body.model, config);
      const model = await service.lane().model();
      sendJson(res, 200, {
        modelfile: '',
        parameters: '',
        template: '',
        details: detailsOf(model),
        // Clients search for a key that ends in `.embedding_length` to find the dimension.
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
  // Applications pull a model before they use it. Nothing is downloaded: the workers have the served model, and
  // another model is refused with a status, because not every client reads errors within a stream.
  addPath(router, '/api/pull', {
    post: async (req, res) => {
      const { model, stream } = parseOllamaBody(ollamaPullBody, await readJsonOfAnyType(req, bodyLimits));
      if (!isServedModel(model, config)) {
        const given = JSON.stringify(model.slice(0, 200));
        throw new OllamaError(
          404,
          `pull model manifest: this server has no model ${given}; it serves ${names.join(', ')}`,
        );
      }
      await service.lane().model();
      if (!stream) {
        sendJson(res, 200, { status: 'success' });
        return;
      }
      res.setHeader('Content-Type', 'application/x-ndjson');
      for (const status of PULL_STATUSES) res.write(`${JSON.stringify({ status })}\n`);
      res.end();
    },
  });
  addPath(router, '/api/version', {
    get: (_req, res) => sendJson(res, 200, { version: OLLAMA_VERSION, embedmill: version }),
  });
  // Clients check here whether a server is running. Browsers get the dashboard, which is served by an earlier
  // route.
  router.get('/', (req, res, next) => {
    if (req.get('accept')?.includes('text/html')) next();
    else res.type('text/plain').send('Ollama is running');
  });
  return router;
}

/** The life of runs: create, list, look, seal, retry, cancel, delete. */

import { storeGlossary } from '@embedmill/core/batch';
import { readStatistics } from '@embedmill/core/runs';
import { type Response, Router } from 'express';
import { callerOf } from '../access/index.ts';
import { readJsonBody } from '../http/body.ts';
import { addPath, idOf } from '../http/methods.ts';
import { parse } from '../http/parse.ts';
import { sendJson } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { fillOptions } from './run-options.ts';
import { createRunBody, createRunHeaders, listRunsQuery } from './schemas.ts';

export function runRoutes({ service, config, limits }: RouteParts): Router {
  const router = Router();
  // A glossary is part of the request.
  const createLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/runs', {
    post: async (req, res) => {
      const body = parse(createRunBody, 'body', await readJsonBody(req, createLimits));
      const { 'idempotency-key': key } = parse(createRunHeaders, 'headers', req.headers);
      const glossary = body.glossary === undefined ? undefined : storeGlossary(body.glossary);
      const options = fillOptions(body, config, glossary?.id);
      const { run, isNew } =
        key === undefined
          ? { run: await service.runs().create({ options, glossary: glossary?.content }), isNew: true }
          : await service
              .runs()
              .createOnce({ requestKey: ownKey(res, key), options, glossary: glossary?.content });
      res.setHeader('Location', `/v1/runs/${run.id}`);
      sendJson(res, isNew ? 201 : 200, run.info());
    },
    get: (req, res) => {
      const { limit, after, state } = parse(listRunsQuery, 'query', req.query);
      // Ids sort by age, so a page goes on rightly even when the run it goes on from was deleted.
      const found = service
        .runs()
        .list()
        .filter(
          (run) => (after === undefined || run.id < after) && (state === undefined || run.state === state),
        );
      const page = found.slice(0, limit).map((run) => run.info());
      sendJson(res, 200, { runs: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null });
    },
  });

  addPath(router, '/v1/runs/:id', {
    get: (req, res) => sendJson(res, 200, service.runs().show(idOf(req)).info()),
    delete: async (req, res) => {
      await service.runs().remove(idOf(req));
      res.status(204).end();
    },
  });

  addPath(router, '/v1/runs/:id/statistics', {
    get: async (req, res) => sendJson(res, 200, await readStatistics(service.runs().get(idOf(req)))),
  });

  addPath(router, '/v1/runs/:id/seal', {
    post: async (req, res) => {
      const run = service.runs().get(idOf(req));
      await run.seal();
      sendJson(res, 200, run.info());
    },
  });

  addPath(router, '/v1/runs/:id/cancel', {
    post: async (req, res) => {
      const run = service.runs().get(idOf(req));
      await run.cancel();
      sendJson(res, 200, run.info());
    },
  });

  addPath(router, '/v1/runs/:id/retry', {
    post: async (req, res) => {
      const run = service.runs().get(idOf(req));
      await run.retry();
      sendJson(res, 200, run.info());
    },
  });
  return router;
}

/** Callers with different API keys may choose the same name. */
function ownKey(res: Response, key: string): string {
  return `${callerOf(res)?.name ?? ''} ${key}`;
}

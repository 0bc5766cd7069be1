/** Routes for the life of runs: create, list, show, seal, retry, cancel, delete. */

import { storeGlossary } from '@embedmill/core/batch';
import { readStatistics } from '@embedmill/core/runs';
import { type Response, Router } from 'express';
import { callerOf } from '../access/index.ts';
import { createRunBody, runOptions } from '../compatible/run-options.ts';
import { addPath, idOf } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { createRunHeaders, deleteRunQuery, listRunsQuery } from './schemas.ts';

/** `/v1/runs`, `/v1/runs/:id` and the steps of a run. */
export function runRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  // The body may contain a glossary.
  const createLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/runs', {
    post: async (req, res) => {
      const body = checkInput(createRunBody, 'body', await readJsonBody(req, createLimits));
      const { 'idempotency-key': key } = checkInput(createRunHeaders, 'headers', req.headers);
      const glossary = body.glossary === undefined ? undefined : storeGlossary(body.glossary);
      const options = runOptions(body, config, glossary?.id);
      await service.assertOffered(options.model);
      const newRun = { options, glossary: glossary?.content, keepDays: body.keepDays ?? undefined };
      const { run, isNew } =
        key === undefined
          ? { run: await service.runs().create(newRun), isNew: true }
          : await service.runs().createOnce({ ...newRun, requestKey: keyOfCaller(res, key) });
      res.setHeader('Location', `/v1/runs/${run.id}`);
      sendJson(res, isNew ? 201 : 200, run.info());
    },
    get: (req, res) => {
      const { limit, after, state } = checkInput(listRunsQuery, 'query', req.query);
      // Ids sort by age, so a page continues correctly even if the run that it starts after was deleted.
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
      await service.runs().remove(idOf(req), checkInput(deleteRunQuery, 'query', req.query));
      res.status(204).end();
    },
  });

  addPath(router, '/v1/runs/:id/statistics', {
    get: async (req, res) => sendJson(res, 200, await readStatistics(service.runs().get(idOf(req)))),
  });

  for (const step of ['seal', 'cancel', 'retry'] as const) {
    addPath(router, `/v1/runs/:id/${step}`, {
      post: async (req, res) => {
        const run = service.runs().get(idOf(req));
        await run[step]();
        sendJson(res, 200, run.info());
      },
    });
  }
  return router;
}

/** Callers with different API keys may choose the same idempotency key. */
function keyOfCaller(res: Response, key: string): string {
  return `${callerOf(res)?.name ?? ''} ${key}`;
}

/** Asks a completed run: which of its rows are nearest to a text, and what the texts of rows are. */

import { readTexts, resultsShape, treatmentOf } from '@embedmill/core';
import { Router } from 'express';
import { RunVectors } from '../../search/run-vectors.ts';
import { readJsonBody } from '../body.ts';
import { completedRun } from '../downloads.ts';
import { whenGone } from '../gone.ts';
import { addPath } from '../methods.ts';
import { parse } from '../parse.ts';
import { searchBody, textsQuery } from '../schemas.ts';
import { sendJson } from '../send.ts';
import type { RouteParts } from '../types.ts';

export function searchRoutes({ service, config, limits }: RouteParts): Router {
  const router = Router();
  const vectors = new RunVectors(config.searchMemoryBytes);
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/runs/:id/search', {
    post: async (req, res) => {
      const run = completedRun(service.runs(), req);
      const { text, count } = parse(searchBody, 'body', await readJsonBody(req, bodyLimits));
      const { model, precision } = run.options;
      await run.offerGlossary();
      const startedAt = performance.now();
      const embedded = await service.lane().embed([text], {
        model,
        precision,
        truncate: 'end',
        treatment: treatmentOf(run.options),
        signal: whenGone(res),
      });
      const embeddedAt = performance.now();
      const outcome = embedded.outcomes[0]!;
      const hasVector = outcome.verdict === 'ok' || outcome.verdict === 'truncated';
      const found = hasVector ? await vectors.search(run, embedded.vectors, count) : [];
      const texts = await readTexts(
        run,
        found.map(({ row }) => row),
      );
      sendJson(res, 200, {
        outcome,
        rows: resultsShape(run).rows,
        hits: found.map((hit, i) => ({ ...hit, text: texts[i]?.text ?? null })),
        timings: { embedMs: embeddedAt - startedAt, searchMs: performance.now() - embeddedAt },
      });
    },
  });

  addPath(router, '/v1/runs/:id/texts', {
    get: async (req, res) => {
      const run = completedRun(service.runs(), req);
      const { rows } = parse(textsQuery, 'query', req.query);
      sendJson(res, 200, { rows: await readTexts(run, rows) });
    },
  });
  return router;
}

/** Routes that search a completed run for the rows nearest to a text, and that return the texts of rows. */

import { hasVector, relativeScore, treatmentOf } from '@embedmill/contract';
import { readRowTexts, resultsShape } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { abortOnDisconnect } from '../http/deadline.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { completedRun, lookupMemory } from './downloads.ts';
import { RunVectors } from './run-vectors.ts';
import { searchBody, textsQuery } from './schemas.ts';

/** `/v1/runs/:id/search` and `/v1/runs/:id/texts`. */
export function searchRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  const vectors = new RunVectors(config.searchMemoryBytes);
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/runs/:id/search', {
    post: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const { text, count } = checkInput(searchBody, 'body', await readJsonBody(req, bodyLimits));
      const { model, precision } = run.options;
      await run.offerGlossary();
      const startedAt = performance.now();
      const embedded = await service.lane().embed([text], {
        model,
        precision,
        truncate: 'end',
        // Queries have a prompt of their own, unless the run was made with another one.
        treatment: treatmentOf({ ...run.options, inputType: run.options.inputType ?? 'query' }),
        signal: abortOnDisconnect(res),
      });
      const embeddedAt = performance.now();
      const outcome = embedded.outcomes[0]!;
      const baseline = (await service.lane().models()).get(model)?.baseline ?? null;
      const found = hasVector(outcome.verdict) ? await vectors.search(run, embedded.vectors, count) : [];
      const share = shareOf(req);
      await share.resize(share.bytes + lookupMemory(run, found.length));
      const texts = await readRowTexts(
        run,
        found.map(({ row }) => row),
      );
      sendJson(res, 200, {
        outcome,
        rows: resultsShape(run).rows,
        hits: found.map((hit, i) => ({
          ...hit,
          relative: baseline === null ? null : relativeScore(hit.score, baseline),
          text: texts[i]?.text ?? null,
        })),
        baseline,
        timings: { embedMs: embeddedAt - startedAt, searchMs: performance.now() - embeddedAt },
      });
    },
  });

  addPath(router, '/v1/runs/:id/texts', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const { rows } = checkInput(textsQuery, 'query', req.query);
      await shareOf(req).resize(lookupMemory(run, rows.length));
      sendJson(res, 200, { rows: await readRowTexts(run, rows) });
    },
  });
  return router;
}

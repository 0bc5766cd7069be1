/** Routes that search a completed run by meaning and words, and that return the texts of rows. */

import { hasVector, type RowOutcome, treatmentOf } from '@embedmill/contract';
import { type Run, type Runs, readRowTexts, resultsShape } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { abortOnDisconnect } from '../http/deadline.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson } from '../http/send.ts';
import type { CoreService, RouteDeps } from '../http/types.ts';
import { completedRun, lookupMemory } from './downloads.ts';
import { searchBody, textsQuery } from './schemas.ts';
import { SearchIndexes, searchMemoryBytes } from './search-indexes.ts';
import { describeRows, rankRows, vectorOfRow } from './search-run.ts';

/** `/v1/runs/:id/search` and `/v1/runs/:id/texts`. */
export function searchRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  const indexes = new SearchIndexes(searchMemoryBytes(config));
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };
  let watched: Runs | null = null;
  /** Frees the memory of runs that are removed. */
  const watch = (runs: Runs): Runs => {
    if (watched !== runs) runs.onRemoved((id) => indexes.release(id));
    watched = runs;
    return runs;
  };

  addPath(router, '/v1/runs/:id/search', {
    post: async (req, res) => {
      const run = await completedRun(watch(service.runs()), req, res);
      const { text, like, count, mode, filter } = checkInput(
        searchBody,
        'body',
        await readJsonBody(req, bodyLimits),
      );
      const startedAt = performance.now();
      let outcome: RowOutcome | null = null;
      let vector: Float32Array | null = null;
      if (like !== undefined) vector = await vectorOfRow(run, like);
      else if (mode !== 'words') {
        const embedded = await embedQuery(service, run, text!, abortOnDisconnect(res));
        ({ outcome } = embedded);
        if (hasVector(outcome.verdict)) ({ vector } = embedded);
      }
      const embeddedAt = performance.now();
      const { rows } = resultsShape(run);
      const baseline = (await service.lane().models()).get(run.options.model)?.baseline ?? null;
      const matching = await service.columns().matchingRows(run, filter);
      const mask = like === undefined ? matching : without(like, matching ?? new Uint8Array(rows).fill(1));
      const words = text ?? null;
      const ranked = await rankRows(run, { mode, vector, words, count, mask, baseline }, indexes);
      const rankedAt = performance.now();
      const share = shareOf(req);
      await share.resize(share.bytes + lookupMemory(run, ranked.rows.length));
      sendJson(res, 200, {
        outcome,
        mode: like === undefined ? mode : 'vector',
        rows,
        hits: await describeRows(run, { vector, baseline }, ranked),
        baseline,
        timings: {
          embedMs: embeddedAt - startedAt,
          searchMs: rankedAt - embeddedAt,
          readMs: performance.now() - rankedAt,
        },
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

/** Embeds a query as the rows of the run were embedded. */
async function embedQuery(service: CoreService, run: Run, text: string, signal: AbortSignal) {
  await run.offerGlossary();
  const { outcomes, vectors } = await service.lane().embed([text], {
    model: run.options.model,
    precision: run.options.precision,
    truncate: 'end',
    // Queries have a prompt of their own, unless the run was made with another one.
    treatment: treatmentOf({ ...run.options, inputType: run.options.inputType ?? 'query' }),
    signal,
  });
  return { outcome: outcomes[0]!, vector: vectors };
}

/** The mask without one row. */
function without(row: number, mask: Uint8Array): Uint8Array {
  mask[row] = 0;
  return mask;
}

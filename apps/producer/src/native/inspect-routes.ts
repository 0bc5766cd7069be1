/** The route that says how a file would be read, judged by its first bytes. */

import { CorruptError, describeScripts } from '@embedmill/contract';
import {
  isTableFormat,
  openTable,
  type PlanChoices,
  planSample,
  planTableReading,
  type ReadingPlan,
} from '@embedmill/core/formats';
import { Router } from 'express';
import { modelOf } from '../compatible/models.ts';
import { addPath } from '../http/add-path.ts';
import { readWhole } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { inspectQuery } from './schemas.ts';

/** Maximum bytes of the start of a file. */
const MAX_BYTES = 1024 * 1024;

/** `/v1/inspect`. */
export function inspectRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/v1/inspect', {
    post: async (req, res) => {
      const {
        name,
        complete,
        model = modelOf(config),
        ...choices
      } = checkInput(inspectQuery, 'query', req.query);
      const bytes = await readWhole(req, { maxBytes: MAX_BYTES, stallMs: limits.bodyStallMs });
      const options = { maxRowBytes: config.maxRowBytes };
      const plan = await planSample(name, { bytes, complete }, choices, options);
      const read = isTableFormat(plan.format) ? await planTable(plan, bytes, choices) : plan;
      const warning = describeScripts(
        read.scripts,
        model,
        (await service.lane().models()).get(model)?.scripts,
      );
      sendJson(res, 200, { ...read, warnings: [...read.warnings, ...(warning === null ? [] : [warning])] });
    },
  });
  return router;
}

/** The plan of a table, which states its columns at its end; of a part of it, a problem. */
async function planTable(plan: ReadingPlan, bytes: Buffer, choices: PlanChoices): Promise<ReadingPlan> {
  if (!isTableFormat(plan.format)) return plan;
  if (!plan.complete || plan.packing !== 'none') {
    const message = `tables state their columns at the end (${plan.format}); expected the whole file, not packed, and complete=true`;
    return { ...plan, confidence: 'low', problem: { code: 'incomplete-table', message, fix: null } };
  }
  const read = async (start: number, end: number) => bytes.subarray(start, end);
  try {
    const table = await openTable(plan.format, { byteLength: bytes.length, read });
    return await planTableReading(plan, table, choices);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return { ...plan, confidence: 'low', problem: { code: error.code, message: error.message, fix: null } };
  }
}

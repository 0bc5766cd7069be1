/** Routes for the columns of a completed run: their kinds, and the values of one of them. */

import { DESCRIBE_MEMORY_BYTES, type Run, resultsShape } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { checkInput } from '../http/check-input.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { completedRun, downloadMemory } from './downloads.ts';
import { type ColumnOfRun, shownColumn } from './run-columns.ts';
import { columnPath, columnQuery } from './schemas.ts';

/** Values per chunk of a response. */
const CHUNK_VALUES = 8192;
/** Memory of a packed value while a column is read. */
const VALUE_BYTES = 8;

/** `/v1/runs/:id/columns` and `/v1/runs/:id/columns/:name`. */
export function columnRoutes({ service, limits, log }: RouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/runs/:id/columns', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      await shareOf(req).resize(describeMemory(run));
      sendJson(res, 200, { columns: (await service.columns().columnsOf(run)).map(shownColumn) });
    },
  });

  addPath(router, '/v1/runs/:id/columns/:name', {
    get: async (req, res) => {
      const { name } = checkInput(columnPath, 'query', { name: req.params.name });
      const { source } = checkInput(columnQuery, 'query', req.query);
      const run = await completedRun(service.runs(), req, res);
      const memoryBytes = describeMemory(run) + VALUE_BYTES * resultsShape(run).rows;
      await shareOf(req).resize(memoryBytes);
      const found = await service.columns().column(run, name, source);
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'private, no-cache' };
      const stream = { status: 200, headers, memoryBytes, chunks: jsonOf(found) };
      await sendStream(req, res, stream, { log, limits });
    },
  });
  return router;
}

/** Memory in which the columns of a run are described; no more than all of its rows need. */
function describeMemory(run: Run): number {
  return downloadMemory(run) + Math.min(DESCRIBE_MEMORY_BYTES, 4 * run.files.ledger.rowBytes);
}

/** A column as JSON, in chunks, so that a million values do not hold up other requests. */
async function* jsonOf({ column, values }: ColumnOfRun): AsyncGenerator<Uint8Array> {
  const { kind } = column;
  const field = kind === 'category' ? 'codes' : kind === 'number' ? 'numbers' : 'times';
  const categories = kind === 'category' ? `"values":${JSON.stringify(column.values)},` : '';
  yield Buffer.from(`{"kind":"${kind}",${categories}"${field}":[`);
  for (let start = 0; start < values.length; start += CHUNK_VALUES) {
    // NaN, a missing value, is null in JSON.
    const json = JSON.stringify(Array.from(values.subarray(start, start + CHUNK_VALUES)));
    yield Buffer.from((start === 0 ? '' : ',') + json.slice(1, -1));
  }
  yield Buffer.from(']}');
}

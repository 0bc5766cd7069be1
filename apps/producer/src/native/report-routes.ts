/** Route for the report of a completed run: the rows without a vector and the reasons. */

import type { ReportRow } from '@embedmill/contract';
import { readReport } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { checkInput } from '../http/check-input.ts';
import { sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { completedRun, downloadMemory, fileHeaders } from './downloads.ts';
import { reportQuery } from './schemas.ts';

/** Approximate size of the chunks in which lines are sent. */
const CHUNK_CHARS = 64 * 1024;

/** `/v1/runs/:id/report`. */
export function reportRoutes({ service, log, limits }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/v1/runs/:id/report', {
    get: async (req, res) => {
      const { include } = checkInput(reportQuery, 'query', req.query);
      const run = await completedRun(service.runs(), req, res);
      const headers = fileHeaders(run, {
        contentType: 'application/x-ndjson',
        extension: '.report.jsonl',
        variant: include === undefined ? 'report' : `report-${include}`,
      });
      const chunks = encodeLines(readReport(run, { truncated: include === 'truncated' }));
      await sendStream(
        req,
        res,
        { status: 200, headers, memoryBytes: downloadMemory(run), chunks },
        { log, limits },
      );
    },
  });
  return router;
}

async function* encodeLines(rows: AsyncIterable<ReportRow>): AsyncGenerator<Uint8Array> {
  let lines = '';
  for await (const row of rows) {
    lines += `${JSON.stringify(row)}\n`;
    if (lines.length < CHUNK_CHARS) continue;
    yield Buffer.from(lines);
    lines = '';
  }
  if (lines !== '') yield Buffer.from(lines);
}

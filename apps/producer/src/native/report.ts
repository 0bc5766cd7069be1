/** Gives out the report of a completed run: the rows without a vector and why. */

import type { ReportRow } from '@embedmill/contract';
import { readReport } from '@embedmill/core/runs';
import { Router } from 'express';
import { completedRun, fileHeaders } from '../http/downloads.ts';
import { addPath } from '../http/methods.ts';
import { parse } from '../http/parse.ts';
import { sendStream } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { reportQuery } from './schemas.ts';

/** Lines are sent in chunks of about this size. */
const CHUNK_CHARS = 64 * 1024;

export function reportRoutes({ service, log }: RouteParts): Router {
  const router = Router();
  addPath(router, '/v1/runs/:id/report', {
    get: async (req, res) => {
      const { include } = parse(reportQuery, 'query', req.query);
      const run = completedRun(service.runs(), req);
      const headers = fileHeaders(run, {
        contentType: 'application/x-ndjson',
        extension: '.report.jsonl',
        variant: include === undefined ? 'report' : `report-${include}`,
      });
      const chunks = encodeLines(readReport(run, { truncated: include === 'truncated' }));
      await sendStream(req, res, { status: 200, headers, chunks }, log);
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

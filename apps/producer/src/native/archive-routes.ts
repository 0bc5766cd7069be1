/** Routes that export a finished run as one file, and import it. */

import { ARCHIVE_MEMORY_BYTES, exportRun } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { readBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { runSchema } from '../openapi/response-schemas.ts';
import { fileHeaders, heldRun } from './downloads.ts';
import { importQuery } from './schemas.ts';

/** Media type of an export. */
const TAR = 'application/x-tar';

/** `/v1/runs/import` and `/v1/runs/:id/export`. */
export function archiveRoutes({ service, log, limits }: RouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/runs/import', {
    post: async (req, res) => {
      const { asNew } = checkInput(importQuery, 'query', req.query);
      const runs = service.runs();
      await shareOf(req).resize(ARCHIVE_MEMORY_BYTES, { isStream: true });
      // The disk is the limit.
      const body = readBody(req, { maxBytes: Number.POSITIVE_INFINITY, stallMs: limits.bodyStallMs });
      const run = await runs.import(body, { asNew, validate: (info) => void runSchema.parse(info) });
      res.setHeader('Location', `/v1/runs/${run.id}`);
      sendJson(res, 201, run.info());
    },
  });

  addPath(router, '/v1/runs/:id/export', {
    get: async (req, res) => {
      const run = await heldRun(service.runs(), req, res);
      const { bytes, chunks } = await exportRun(run);
      const headers = {
        ...fileHeaders(run, { contentType: TAR, extension: '.embedmill', variant: 'export' }),
        'Content-Length': bytes,
      };
      const stream = { status: 200, headers, memoryBytes: ARCHIVE_MEMORY_BYTES, chunks };
      await sendStream(req, res, stream, { log, limits });
    },
  });
  return router;
}

/** Route for the vectors of one part, available before the run is completed. */

import { encodeVectorBlock, VECTOR_BLOCKS_TYPE } from '@embedmill/contract';
import { type Run, readPart } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { checkInput } from '../http/check-input.ts';
import { abortAfter } from '../http/deadline.ts';
import { sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { batchesMemory, heldRun } from './downloads.ts';
import { partPath, partResultsQuery } from './schemas.ts';

/** `/v1/runs/:id/parts/:part/results`. */
export function partRoutes({ service, log, limits }: RouteDeps): Router {
  const router = Router();
  addPath(router, '/v1/runs/:id/parts/:part/results', {
    get: async (req, res) => {
      const { part } = checkInput(partPath, 'query', { part: req.params.part });
      const { waitMs, fromRow } = checkInput(partResultsQuery, 'query', req.query);
      const run = await heldRun(service.runs(), req, res);
      if (!(await run.whenPartStored(part, abortAfter(res, waitMs)))) {
        res.status(204).setHeader('Cache-Control', 'no-store').end();
        return;
      }
      const memoryBytes = batchesMemory(run, run.files.ledger.batchesOfPart.get(part) ?? []);
      const headers = { 'Content-Type': VECTOR_BLOCKS_TYPE, 'Cache-Control': 'no-store' };
      const stream = { status: 200, headers, memoryBytes, chunks: blocksOf(run, part, fromRow) };
      await sendStream(req, res, stream, { log, limits });
    },
  });
  return router;
}

async function* blocksOf(run: Run, part: number, fromRow: number): AsyncGenerator<Uint8Array> {
  for await (const block of readPart(run, part, fromRow)) yield* encodeVectorBlock(block);
}

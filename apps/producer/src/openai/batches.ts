/** The Batch API: a file of requests in, files of answers out; and the answers so far while it is at work. */

import { create as contentDisposition } from 'content-disposition';
import { Router } from 'express';
import { readAnyJson } from '../http/body.ts';
import { addPath, idOf } from '../http/methods.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { batchObject } from './batch-object.ts';
import { listBatchesQuery, parseBatch } from './batch-schemas.ts';
import { OpenAiError } from './errors.ts';
import { pageOf } from './page.ts';
import { checkBody } from './schemas.ts';

/** Lines are sent in chunks of about this size. */
const CHUNK_BYTES = 64 * 1024;

export function batchRoutes({ service, limits, log }: RouteParts): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/batches', {
    post: async (req, res) => {
      const request = parseBatch(await readAnyJson(req, bodyLimits));
      const input = service.files().find(request.inputFileId);
      if (input?.purpose !== 'batch') {
        throw new OpenAiError(
          `Invalid 'input_file_id': there is no file ${request.inputFileId} of purpose batch.`,
          {
            param: 'input_file_id',
            code: 'invalid_value',
          },
        );
      }
      sendJson(res, 200, batchObject(await service.batches().create(request)));
    },
    get: (req, res) => {
      const page = checkBody(listBatchesQuery, req.query);
      sendJson(res, 200, pageOf(service.batches().list(), page, batchObject));
    },
  });

  addPath(router, '/v1/batches/:id', {
    get: (req, res) => sendJson(res, 200, batchObject(service.batches().get(idOf(req)))),
  });

  addPath(router, '/v1/batches/:id/cancel', {
    post: async (req, res) => {
      const batch = service.batches().get(idOf(req));
      await batch.cancel();
      sendJson(res, 200, batchObject(batch));
    },
  });

  // Ours: the beginning of the output file, as far as it could be written now.
  addPath(router, '/v1/batches/:id/output', {
    get: async (req, res) => {
      const batch = service.batches().get(idOf(req));
      const headers = {
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': contentDisposition(`${batch.id}_output.jsonl`),
        'Cache-Control': 'no-store',
        'X-Batch-Status': batch.state,
      };
      await sendStream(req, res, { status: 200, headers, chunks: inChunks(batch.outputSoFar()) }, log);
    },
  });
  return router;
}

async function* inChunks(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const line of lines) {
    held.push(line);
    bytes += line.byteLength;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}

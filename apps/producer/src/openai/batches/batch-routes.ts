/** Routes of the Batch API, and of the partial output of a batch in progress. */

import { create as contentDisposition } from 'content-disposition';
import { Router } from 'express';
import { modelOf } from '../../compatible/models.ts';
import { addPath, idOf } from '../../http/add-path.ts';
import { readJsonOfAnyType } from '../../http/body.ts';
import { sendJson, sendStream } from '../../http/send.ts';
import { OpenAiError } from '../errors.ts';
import { listPageOf } from '../page.ts';
import { parseOpenAiInput } from '../parse-input.ts';
import type { OpenAiRouteDeps } from '../types.ts';
import { batchObject } from './batch-object.ts';
import { listBatchesQuery, parseBatchCreateParams } from './batch-schemas.ts';

/** Memory in which the output is made: the texts and the vectors of one request, and the line with both. */
const OUTPUT_BYTES = 8 * 1024 * 1024;

/** Approximate size of the chunks in which lines are sent. */
const CHUNK_BYTES = 64 * 1024;

/** `/v1/batches` and below. */
export function openAiBatchRoutes({ service, config, limits, log }: OpenAiRouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/batches', {
    post: async (req, res) => {
      const params = parseBatchCreateParams(await readJsonOfAnyType(req, bodyLimits));
      const input = service.files().find(params.inputFileId);
      if (input?.purpose !== 'batch') {
        throw new OpenAiError(
          `Invalid 'input_file_id': no file ${params.inputFileId} with purpose batch exists.`,
          {
            param: 'input_file_id',
            code: 'invalid_value',
          },
        );
      }
      await service.assertOffered(modelOf(config));
      sendJson(res, 200, batchObject(await service.batches().create(params)));
    },
    get: (req, res) => {
      const page = parseOpenAiInput(listBatchesQuery, req.query);
      sendJson(res, 200, listPageOf(service.batches().list(), page, batchObject));
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

  // Not in the OpenAI API: the beginning of the output file while the batch is in progress.
  addPath(router, '/v1/batches/:id/output', {
    get: async (req, res) => {
      const batch = service.batches().get(idOf(req));
      const headers = {
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': contentDisposition(`${batch.id}_output.jsonl`),
        'Cache-Control': 'no-store',
        'X-Batch-Status': batch.state,
      };
      const chunks = inChunks(batch.outputSoFar());
      await sendStream(
        req,
        res,
        { status: 200, headers, memoryBytes: OUTPUT_BYTES, chunks },
        { log, limits },
      );
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

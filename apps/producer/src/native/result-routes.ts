/** Routes for the vectors, ids and scales of a completed run, in row order. */

import {
  DTYPE_BYTES,
  encodeIds,
  encodeScales,
  FORMATS,
  NPY_HEADER_BYTES,
  vectorMetadata,
} from '@embedmill/core/formats';
import { readIds, readResults, resultsShape } from '@embedmill/core/runs';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { requestedRange } from '../http/byte-range.ts';
import { checkInput } from '../http/check-input.ts';
import { sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { completedRun, downloadMemory, fileHeaders } from './downloads.ts';
import { npyRange } from './npy-range.ts';
import { resultsQuery } from './schemas.ts';

/** `/v1/runs/:id/results`, `/v1/runs/:id/ids` and `/v1/runs/:id/scales`. */
export function resultRoutes({ service, log, limits }: RouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/runs/:id/results', {
    get: async (req, res) => {
      const { format, encoding, dtype } = checkInput(resultsQuery, 'query', req.query);
      const run = await completedRun(service.runs(), req, res);
      const { contentType, extension, encode } = FORMATS[format];
      const shape = resultsShape(run);
      const variant = [format, dtype, ...(format === 'jsonl' ? [encoding] : [])].join('-');
      const headers = fileHeaders(run, { contentType, extension, variant });
      res.setHeader('ETag', headers.ETag);
      if (req.fresh) {
        res.status(304).end();
        return;
      }
      if (format !== 'npy') {
        const { options, fingerprint } = run.info();
        const metadata = vectorMetadata({ ...options, fingerprint, dim: shape.dim });
        const chunks = encode(readResults(run), shape, { encoding, dtype, metadata });
        const memoryBytes = downloadMemory(run, { isGrouped: format !== 'jsonl' });
        await sendStream(req, res, { status: 200, headers, memoryBytes, chunks }, { log, limits });
        return;
      }
      const totalBytes = NPY_HEADER_BYTES + shape.rows * shape.dim * DTYPE_BYTES[dtype];
      const range = requestedRange(req, res, totalBytes, headers.ETag);
      const chunks =
        range === null ? encode(readResults(run), shape, { dtype }) : npyRange(run, range, dtype);
      const sent = range ?? { start: 0, end: totalBytes };
      await sendStream(
        req,
        res,
        {
          status: range === null ? 200 : 206,
          headers: {
            ...headers,
            'Accept-Ranges': 'bytes',
            'Content-Length': sent.end - sent.start,
            ...(range === null
              ? {}
              : { 'Content-Range': `bytes ${sent.start}-${sent.end - 1}/${totalBytes}` }),
          },
          memoryBytes: downloadMemory(run),
          chunks,
        },
        { log, limits },
      );
    },
  });

  addPath(router, '/v1/runs/:id/ids', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const headers = fileHeaders(run, {
        contentType: 'application/x-ndjson',
        extension: '.ids.jsonl',
        variant: 'ids',
      });
      const memoryBytes = downloadMemory(run);
      await sendStream(
        req,
        res,
        { status: 200, headers, memoryBytes, chunks: encodeIds(readIds(run)) },
        { log, limits },
      );
    },
  });

  addPath(router, '/v1/runs/:id/scales', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const headers = fileHeaders(run, {
        contentType: FORMATS.npy.contentType,
        extension: '.scales.npy',
        variant: 'scales',
      });
      const chunks = encodeScales(readResults(run), resultsShape(run));
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

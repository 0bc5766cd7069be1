/** Routes of the Files API: input and output files of batches. */

import { createReadStream } from 'node:fs';
import { create as contentDisposition } from 'content-disposition';
import { Router } from 'express';
import { addPath, idOf } from '../../http/add-path.ts';
import { requestedRange } from '../../http/byte-range.ts';
import { sendJson, sendStream } from '../../http/send.ts';
import { listPageOf } from '../page.ts';
import { parseOpenAiInput } from '../parse-input.ts';
import type { OpenAiRouteDeps } from '../types.ts';
import { listFilesQuery } from './file-schemas.ts';
import type { FileStore } from './file-store.ts';
import type { StoredFile } from './types.ts';
import { receiveUpload } from './upload.ts';

/** Memory in which the content of a file is sent: a few chunks of a file stream. */
const READ_BYTES = 256 * 1024;

/** `/v1/files` and below. */
export function openAiFileRoutes({ service, config, limits, log }: OpenAiRouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/files', {
    post: async (req, res) => {
      const uploadLimits = { maxFileBytes: config.maxFileBytes, stallMs: limits.bodyStallMs };
      sendJson(res, 200, fileObject(await receiveUpload(req, service.files(), uploadLimits)));
    },
    get: (req, res) => {
      const { limit, order, after, purpose } = parseOpenAiInput(listFilesQuery, req.query);
      const files = service
        .files()
        .list()
        .filter((file) => purpose === undefined || file.purpose === purpose);
      sendJson(res, 200, listPageOf(files, { limit, order, after }, fileObject));
    },
  });

  addPath(router, '/v1/files/:id', {
    get: (req, res) => sendJson(res, 200, fileObject(service.files().get(idOf(req)))),
    delete: async (req, res) => {
      await service.files().remove(idOf(req));
      sendJson(res, 200, { id: idOf(req), object: 'file', deleted: true });
    },
  });

  addPath(router, '/v1/files/:id/content', {
    get: async (req, res) => {
      const files = service.files();
      const file = files.get(idOf(req));
      // The bytes of a file never change, so its id identifies them.
      const etag = `"${file.id}"`;
      const range = requestedRange(req, res, file.bytes, etag);
      const { start, end } = range ?? { start: 0, end: file.bytes };
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Disposition': contentDisposition(file.filename),
        'Content-Length': end - start,
        'Cache-Control': 'private, no-cache',
        'Accept-Ranges': 'bytes',
        ETag: etag,
        ...(range === null ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${file.bytes}` }),
      };
      const chunks = end > start ? contentOf(files, file, { start, end: end - 1 }) : noChunks();
      const status = range === null ? 200 : 206;
      await sendStream(req, res, { status, headers, memoryBytes: READ_BYTES, chunks }, { log, limits });
    },
  });
  return router;
}

/** The `file` object of the OpenAI API. */
function fileObject({ id, bytes, createdAt, expiresAt, filename, purpose }: StoredFile) {
  return {
    id,
    object: 'file',
    bytes,
    created_at: Math.floor(createdAt / 1000),
    ...(expiresAt === null ? {} : { expires_at: Math.floor(expiresAt / 1000) }),
    filename,
    purpose,
    status: 'processed',
  };
}

/** The bytes `start` to `end`, both inclusive. @throws {RequestError} `unknown-file` if it was deleted since `get` */
async function* contentOf(
  files: FileStore,
  file: StoredFile,
  range: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(files.pathOf(file), range);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') files.get(file.id);
    throw error;
  }
}

async function* noChunks(): AsyncGenerator<never> {}

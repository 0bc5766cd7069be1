/** The Files API: what batches read and what they make. */

import { createReadStream } from 'node:fs';
import { create as contentDisposition } from 'content-disposition';
import { Router } from 'express';
import { addPath, idOf } from '../http/methods.ts';
import { rangeOf } from '../http/npy-range.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { listFilesQuery } from './file-schemas.ts';
import type { KeptFile } from './files/types.ts';
import { pageOf } from './page.ts';
import { checkBody } from './schemas.ts';
import { takeUpload } from './upload.ts';

export function fileRoutes({ service, config, limits, log }: RouteParts): Router {
  const router = Router();

  addPath(router, '/v1/files', {
    post: async (req, res) => {
      const uploadLimits = { maxFileBytes: config.maxFileBytes, stallMs: limits.bodyStallMs };
      sendJson(res, 200, fileObject(await takeUpload(req, service.files(), uploadLimits)));
    },
    get: (req, res) => {
      const { limit, order, after, purpose } = checkBody(listFilesQuery, req.query);
      const files = service
        .files()
        .list()
        .filter((file) => purpose === undefined || file.purpose === purpose);
      sendJson(res, 200, pageOf(files, { limit, order, after }, fileObject));
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
      // Its bytes never change, so its name stands for them.
      const etag = `"${file.id}"`;
      const range = rangeOf(req, res, file.bytes, etag);
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
      const chunks = end > start ? createReadStream(files.pathOf(file), { start, end: end - 1 }) : noChunks();
      await sendStream(req, res, { status: range === null ? 200 : 206, headers, chunks }, log);
    },
  });
  return router;
}

/** A file as that API shows it. */
function fileObject({ id, bytes, createdAt, expiresAt, filename, purpose }: KeptFile) {
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

async function* noChunks(): AsyncGenerator<never> {}

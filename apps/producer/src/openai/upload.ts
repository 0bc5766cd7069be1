/** Takes an upload (multipart/form-data) onto the disk as it comes; POST /v1/files calls it. */

import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Request } from 'express';
import { readBody } from '../http/body.ts';
import { OpenAiError } from './errors.ts';
import { parseUpload } from './file-schemas.ts';
import type { FileDraft } from './files/draft.ts';
import type { FileStore } from './files/file-store.ts';
import type { KeptFile } from './files/types.ts';

/** Room for the fields and the frames of the parts beside the file. */
const FRAME_BYTES = 64 * 1024;
const MAX_FIELDS = 20;
const MAX_FIELD_BYTES = 1024;

/** How much and how slow an upload may be. */
export interface UploadLimits {
  maxFileBytes: number;
  stallMs: number;
}

/** What came of the file part. */
interface ReceivedPart {
  draft: FileDraft;
  filename: string;
}

/**
 * Resolves when the file survives a power cut; at no time more than a few chunks of it are in memory.
 * @throws {OpenAiError} for a form without a file or with wrong fields
 * @throws {RequestError} `body-too-large`, `body-stalled`
 */
export async function takeUpload(req: Request, files: FileStore, limits: UploadLimits): Promise<KeptFile> {
  const contentType = req.get('content-type') ?? '';
  if (!/^multipart\/form-data\s*;.*boundary=/i.test(contentType)) {
    throw new OpenAiError('Invalid Content-Type: expected multipart/form-data with a boundary.');
  }
  const form = new Busboy({
    headers: { ...req.headers, 'content-type': contentType },
    limits: { files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES },
  });
  const fields = new Map<string, string>();
  let part: BusboyFileStream | undefined;
  let receiving: Promise<ReceivedPart> | undefined;
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (name, stream, filename) => {
    if (name !== 'file') {
      stream.resume();
      return;
    }
    part = stream;
    // The parser may report a broken form on the part once more when nobody reads it any more.
    stream.on('error', () => {});
    receiving = receive(stream, filename, files);
    // A full disk ends the reading of the form.
    receiving.catch((error) => form.destroy(error));
  });
  let received: ReceivedPart | undefined;
  try {
    const bytes = readBody(req, { maxBytes: limits.maxFileBytes + FRAME_BYTES, stallMs: limits.stallMs });
    await pipeline(bytes, form).catch((error: Error) => {
      // The parser ends the part only when the form came to its end.
      part?.destroy(error);
      throw /multipart|boundary/i.test(error.message) ? brokenForm(error) : error;
    });
    received = await receiving;
    if (received === undefined) {
      throw new OpenAiError("Missing required parameter: 'file'.", {
        param: 'file',
        code: 'missing_required_parameter',
      });
    }
    const { purpose, expiresAfterSeconds } = parseUpload(Object.fromEntries(fields));
    const expiresAt = expiresAfterSeconds === null ? null : Date.now() + expiresAfterSeconds * 1000;
    return await received.draft.commit({ filename: received.filename, purpose, expiresAt });
  } finally {
    received ??= await receiving?.catch(() => undefined);
    await received?.draft.discard();
  }
}

async function receive(
  stream: BusboyFileStream,
  filename: string | undefined,
  files: FileStore,
): Promise<ReceivedPart> {
  const draft = await files.begin();
  try {
    for await (const chunk of stream) await draft.write(chunk as Uint8Array);
    return { draft, filename: filename ?? 'file' };
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

function brokenForm(error: Error): OpenAiError {
  return new OpenAiError(`The multipart form cannot be read: ${error.message}.`);
}

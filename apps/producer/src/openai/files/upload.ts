/** Streams an upload (multipart/form-data) to disk. */

import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Request } from 'express';
import { readBody } from '../../http/body.ts';
import { OpenAiError } from '../errors.ts';
import type { FileDraft } from './file-draft.ts';
import { parseUploadFields } from './file-schemas.ts';
import type { FileStore } from './file-store.ts';
import type { StoredFile } from './types.ts';

/** Allowance for the form fields and the multipart framing. */
const FRAME_BYTES = 64 * 1024;
const MAX_FIELDS = 20;
const MAX_FIELD_BYTES = 1024;

/** Size and speed limits of an upload. */
export interface UploadLimits {
  maxFileBytes: number;
  stallMs: number;
}

/** The received file part. */
interface ReceivedPart {
  draft: FileDraft;
  filename: string;
}

/**
 * Stores the file of an upload; no more than a few chunks are in memory at a time. When it resolves, the file
 * is durable.
 * @throws {OpenAiError} for a form without a file or with invalid fields
 * @throws {RequestError} `body-too-large`, `body-stalled`
 */
export async function receiveUpload(
  req: Request,
  files: FileStore,
  limits: UploadLimits,
): Promise<StoredFile> {
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
    // The parser may report a malformed form on the part again after reading has ended.
    stream.on('error', () => {});
    receiving = receive(stream, filename, files);
    // A full disk ends the parsing of the form.
    receiving.catch((error) => form.destroy(error));
  });
  let received: ReceivedPart | undefined;
  try {
    const bytes = readBody(req, { maxBytes: limits.maxFileBytes + FRAME_BYTES, stallMs: limits.stallMs });
    await pipeline(bytes, form).catch((error: Error) => {
      // The parser ends the part only if the form is complete.
      part?.destroy(error);
      throw /multipart|boundary/i.test(error.message) ? malformedForm(error) : error;
    });
    received = await receiving;
    if (received === undefined) {
      throw new OpenAiError("Missing required parameter: 'file'.", {
        param: 'file',
        code: 'missing_required_parameter',
      });
    }
    const { purpose, expiresAfterSeconds } = parseUploadFields(Object.fromEntries(fields));
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

function malformedForm(error: Error): OpenAiError {
  return new OpenAiError(`The multipart form cannot be read: ${error.message}.`);
}

/** Compresses responses as the client accepts: gzip, Brotli, and Zstandard where Node has it. */

import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Request, Response } from 'express';

/**
 * Smaller responses are sent as they are: one vector, whose compression would cost more time than its transfer
 * takes.
 */
const MIN_BYTES = 8 * 1024;

/** Memory of the compression of a stream: windows and hash tables of the encoders with these options. */
export const COMPRESSION_MEMORY_BYTES = 1024 * 1024;

/** Texts; vectors in binary formats do not become smaller. */
const COMPRESSIBLE = /^(text\/(?!event-stream)|application\/(.+\+)?(json|javascript|x-ndjson)|image\/svg)/i;

/** One content coding. */
interface Coding {
  whole: (bytes: Buffer) => Promise<Buffer>;
  stream: () => Transform;
}

/**
 * Fast levels: vectors as text shrink to 43 % with gzip 1 and to 39 % with gzip 6, which takes four times as long
 * (docs/decisions/0213).
 */
const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: coding(zlib.gzip, zlib.createGzip, { level: 1 }),
  br: coding(zlib.brotliCompress, zlib.createBrotliCompress, {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1, [zlib.constants.BROTLI_PARAM_LGWIN]: 18 },
  }),
  ...zstd(),
};

/** A response, as far as it decides about its coding. */
interface UncodedResponse {
  type: string;
  /** `Infinity` if the length is unknown. */
  bytes: number;
  /** Default: 200. */
  status?: number;
}

/** The coding for a response: a name, `identity`, or `null` if such a response is never compressed. */
export function negotiateCoding(req: Request, { type, bytes, status }: UncodedResponse): string | null {
  // A range is of the bytes as they are stored.
  if (bytes < MIN_BYTES || !COMPRESSIBLE.test(type) || status === 206) return null;
  if (req.headers['accept-encoding'] === undefined) return 'identity';
  return req.acceptsEncodings(...Object.keys(CODINGS)) || 'identity';
}

/** Sets the headers for a coding, after all others of the response. Returns its encoders; `null` for none. */
export function applyCoding(res: Response, name: string | null): Coding | null {
  if (name === null) return null;
  res.vary('Accept-Encoding');
  const found = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (found === undefined) return null;
  res.setHeader('Content-Encoding', name);
  res.removeHeader('Content-Length');
  res.removeHeader('Accept-Ranges');
  // A strong tag would promise the same bytes in every coding (RFC 9110, 8.8.3.3).
  const tag = res.getHeader('ETag');
  if (typeof tag === 'string' && tag.startsWith('"')) res.setHeader('ETag', `W/${tag}`);
  return found;
}

/** Sends the whole body of a response, compressed if the client accepts it. */
export function sendBytes(res: Response, type: string, bytes: Buffer): void {
  res.setHeader('Content-Type', type);
  const found = applyCoding(res, negotiateCoding(res.req, { type, bytes: bytes.byteLength }));
  if (found === null) {
    res.send(bytes);
    return;
  }
  found.whole(bytes).then(
    (compressed) => res.send(compressed),
    () => res.destroy(),
  );
}

function coding<Options>(
  whole: (bytes: Buffer, options: Options, done: (error: Error | null, result: Buffer) => void) => void,
  stream: (options: Options) => Transform,
  options: Options,
): Coding {
  const compress = promisify(whole) as (bytes: Buffer, options: Options) => Promise<Buffer>;
  return { whole: (bytes) => compress(bytes, options), stream: () => stream(options) };
}

/** The part of `node:zlib` that older releases of Node do not have. */
interface Zstd {
  zstdCompress?: typeof zlib.brotliCompress;
  createZstdCompress?: typeof zlib.createBrotliCompress;
  constants: { ZSTD_c_compressionLevel: number; ZSTD_c_windowLog: number };
}

/** Zstandard is in Node from 22.15 on. */
function zstd(): Record<string, Coding> {
  const { zstdCompress, createZstdCompress, constants } = zlib as unknown as Zstd;
  if (zstdCompress === undefined || createZstdCompress === undefined) return {};
  const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 18 };
  return { zstd: coding(zstdCompress, createZstdCompress, { params }) };
}

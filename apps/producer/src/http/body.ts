/** Reads request bodies: decompressed, limited in size and time, with back-pressure. */

import { isUtf8 } from 'node:buffer';
import { quote, RequestError } from '@embedmill/contract';
import { gunzip } from '@embedmill/core/formats';
import type { Request } from 'express';
import { type MemoryShare, SMALL_SHARE_BYTES, shareOf } from './memory-budget.ts';

/** Size and speed limits of a body. */
export interface BodyLimits {
  /** Maximum bytes after decompression. */
  maxBytes: number;
  /** Maximum time in which fewer than `MIN_BYTES` arrive. Only time spent waiting for the client counts. */
  stallMs: number;
}

/**
 * Minimum progress of a sender that occupies a connection and a part. Low enough for a program that sends a
 * short row every few seconds; an occasional byte does not suffice.
 */
const MIN_BYTES = 1024;

/**
 * Memory of a body that is read as a whole, as a multiple of its bytes: the chunks, the text, the parsed
 * values and what is sent to Redis (docs/decisions/0071-one-memory-budget.md).
 */
const BODY_COPIES = 6;

/**
 * The bytes of a body, decompressed if it has `Content-Encoding: gzip`. Nothing is read ahead: a slow
 * consumer slows the client down. The connection stays usable after an error.
 * @throws {RequestError} `body-too-large`, `body-stalled`, `unsupported-encoding`
 * @throws {CorruptError} `corrupt-gzip`
 */
export async function* readBody(req: Request, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  const { maxBytes, stallMs } = limits;
  const encoding = (req.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new RequestError(
      'unsupported-encoding',
      `the body has Content-Encoding ${quote(encoding)}; expected gzip or none`,
    );
  }
  const received = receive(req, stallMs, shareOf(req));
  const declared = Number(req.get('content-length') ?? 0);
  if (encoding === 'identity' && declared > maxBytes) throw tooLarge(maxBytes, `${declared}`);
  let bytes = 0;
  for await (const chunk of encoding === 'gzip' ? gunzip(received) : received) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes, 'more');
    yield chunk;
  }
}

/**
 * Reads a small JSON body; an absent body is an empty object.
 * @throws {RequestError} as `readBody`, and `unsupported-media-type`, `malformed-json`
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function readJsonBody(req: Request, limits: BodyLimits): Promise<unknown> {
  const bytes = await readWhole(req, limits);
  if (bytes.byteLength === 0) return {};
  if (req.is('application/json') === false) {
    throw new RequestError(
      'unsupported-media-type',
      `the body has Content-Type ${quote(req.get('content-type') ?? 'none')}; expected application/json`,
    );
  }
  return parseJson(bytes);
}

/**
 * Reads a JSON body with any Content-Type, for APIs whose own examples call `curl -d` without one; an absent
 * body is `undefined`.
 * @throws {RequestError} as `readBody`, and `malformed-json`
 */
export async function readJsonOfAnyType(req: Request, limits: BodyLimits): Promise<unknown> {
  const bytes = await readWhole(req, limits);
  return bytes.byteLength === 0 ? undefined : parseJson(bytes);
}

/**
 * Reads a small body of any type.
 * @throws {RequestError} as `readBody`
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function readWhole(req: Request, limits: BodyLimits): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const isPlain = req.get('content-encoding') === undefined;
  const allBytes = isPlain ? Number(req.get('content-length') ?? limits.maxBytes) : limits.maxBytes;
  let bytes = 0;
  for await (const chunk of readBody(req, limits)) {
    bytes += chunk.byteLength;
    const isSmall = bytes * BODY_COPIES <= SMALL_SHARE_BYTES;
    await shareOf(req).resize((isSmall ? bytes : allBytes) * BODY_COPIES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new RequestError(
      'malformed-json',
      `the body is not JSON: ${quote((error as Error).message, 120)}`,
      {
        cause: error,
      },
    );
  }
}

async function* receive(req: Request, stallMs: number, share: MemoryShare): AsyncGenerator<Uint8Array> {
  // Ending the iteration must not destroy the request: the response still has to be sent on its connection.
  const chunks = req.iterator({ destroyOnReturn: false });
  let waitedMs = 0;
  let bytes = 0;
  for (;;) {
    // Time between two chunks that the consumer spends (back-pressure) is not charged to the client.
    const requestedAt = performance.now();
    const { done, value } = await withinTime(chunks.next(), { stallMs, waitedMs, share });
    if (done === true) return;
    waitedMs += performance.now() - requestedAt;
    bytes += value.byteLength;
    if (bytes >= MIN_BYTES) {
      waitedMs = 0;
      bytes = 0;
    }
    yield value;
  }
}

/** A wait for the client. */
interface ClientWait {
  stallMs: number;
  /** Time spent waiting since it last made progress. */
  waitedMs: number;
  share: MemoryShare;
}

async function withinTime(
  chunk: Promise<IteratorResult<Uint8Array>>,
  { stallMs, waitedMs, share }: ClientWait,
): Promise<IteratorResult<Uint8Array>> {
  let timer: NodeJS.Timeout | undefined;
  let bytes = 0;
  const stalled = new Promise<never>((_, reject) => {
    share.waitForClient(reject);
    timer = setTimeout(
      () => {
        reject(
          new RequestError(
            'body-stalled',
            `fewer than ${MIN_BYTES} bytes of the body arrived in ${stallMs / 1000} s; send it again`,
            { facts: { stallMs, minBytes: MIN_BYTES } },
          ),
        );
      },
      Math.max(0, stallMs - waitedMs),
    );
  });
  try {
    const next = await Promise.race([chunk, stalled]);
    bytes = next.value?.byteLength ?? 0;
    return next;
  } finally {
    clearTimeout(timer);
    share.clientMoved(bytes);
  }
}

function tooLarge(maxBytes: number, given: string): RequestError {
  return new RequestError(
    'body-too-large',
    `the body exceeds the maximum of ${maxBytes} bytes after decompression, got ${given}; split it`,
    { facts: { limitBytes: maxBytes } },
  );
}

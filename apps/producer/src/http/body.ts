/** Reads request bodies: unpacked, limited, and at the pace of whoever takes them. */

import { isUtf8 } from 'node:buffer';
import { quote, RequestError } from '@embedmill/contract';
import { gunzip } from '@embedmill/core/formats';
import type { Request } from 'express';

/** How much and how slow a body may be. */
export interface BodyLimits {
  /** Bytes after unpacking. */
  maxBytes: number;
  /** Longest time in which fewer than `MIN_BYTES` come. Only the time counts in which somebody waits for them. */
  stallMs: number;
}

/**
 * A sender that keeps a connection and a place among the parts must be worth it. Low enough for a program that sends a short
 * row every few seconds; a byte now and then is not enough.
 */
const MIN_BYTES = 1024;

/**
 * The bytes of a body, unpacked if it came with `Content-Encoding: gzip`. Nothing is read ahead: a caller that takes
 * its time slows the client down. The connection stays usable after an error.
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
  const received = receive(req, stallMs);
  const declared = Number(req.get('content-length') ?? 0);
  if (encoding === 'identity' && declared > maxBytes) throw tooLarge(maxBytes, `it has ${declared}`);
  let bytes = 0;
  for await (const chunk of encoding === 'gzip' ? gunzip(received) : received) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes, 'it has more');
    yield chunk;
  }
}

/**
 * A small JSON body; no body is an empty object.
 * @throws {RequestError} as `readBody`, and `unsupported-media-type`, `malformed-json`
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
 * A JSON body whatever Content-Type it has, for APIs whose own examples call `curl -d` without one; no body is
 * `undefined`.
 * @throws {RequestError} as `readBody`, and `malformed-json`
 */
export async function readAnyJson(req: Request, limits: BodyLimits): Promise<unknown> {
  const bytes = await readWhole(req, limits);
  return bytes.byteLength === 0 ? undefined : parseJson(bytes);
}

async function readWhole(req: Request, limits: BodyLimits): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(req, limits)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('it is not UTF-8');
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

async function* receive(req: Request, stallMs: number): AsyncGenerator<Uint8Array> {
  // Ending the iteration must not destroy the request: the answer still has to go out on its connection.
  const chunks = req.iterator({ destroyOnReturn: false });
  let waitedMs = 0;
  let bytes = 0;
  for (;;) {
    // A caller that takes its time between two chunks (back-pressure) costs the client nothing: it is not waited for then.
    const askedAt = performance.now();
    const { done, value } = await withinTime(chunks.next(), stallMs, waitedMs);
    if (done === true) return;
    waitedMs += performance.now() - askedAt;
    bytes += value.byteLength;
    if (bytes >= MIN_BYTES) {
      waitedMs = 0;
      bytes = 0;
    }
    yield value;
  }
}

async function withinTime<Value>(promise: Promise<Value>, stallMs: number, waitedMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        reject(
          new RequestError(
            'body-stalled',
            `fewer than ${MIN_BYTES} bytes of the body came in ${stallMs / 1000} s; send it again`,
            { facts: { stallMs, minBytes: MIN_BYTES } },
          ),
        );
      },
      Math.max(0, stallMs - waitedMs),
    );
  });
  try {
    return await Promise.race([promise, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(maxBytes: number, found: string): RequestError {
  return new RequestError(
    'body-too-large',
    `a body may have ${maxBytes} bytes after unpacking, ${found}; send it in smaller pieces`,
    { facts: { limitBytes: maxBytes } },
  );
}

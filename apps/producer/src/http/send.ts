/** Sends responses: small ones as JSON, large ones as streams with back-pressure. */

import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { applyCoding, COMPRESSION_MEMORY_BYTES, negotiateCoding, sendBytes } from './compression.ts';
import { shareOf } from './memory-budget.ts';
import { requestIdOf } from './request-id.ts';
import type { RouteDeps } from './types.ts';

/** Sends a value as JSON. */
export function sendJson(res: Response, status: number, value: unknown): void {
  sendJsonText(res, status, JSON.stringify(value));
}

/** Sends text that is JSON already. */
export function sendJsonText(res: Response, status: number, text: string): void {
  res.status(status);
  res.setHeader('Cache-Control', 'no-store');
  sendBytes(res, 'application/json', Buffer.from(text));
}

/** A large response. */
export interface StreamResponse {
  status: number;
  headers: Readonly<Record<string, string | number>>;
  /** Memory in which its chunks are made. */
  memoryBytes: number;
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Sends a stream whose chunks are produced as the client reads them, compressed if it is text and the client accepts
 * it. HEAD gets the headers alone.
 *
 * An error before the first chunk is thrown, so that it can be reported to the client. A later one is logged
 * and destroys the connection, so that a partial file never looks complete. A client that reads nothing for
 * `readStallMs`, or is slow while others wait for memory, is disconnected.
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function sendStream(
  req: Request,
  res: Response,
  stream: StreamResponse,
  { log, limits }: Pick<RouteDeps, 'log' | 'limits'>,
): Promise<void> {
  const { status, headers } = stream;
  const chunks = stream.chunks[Symbol.asyncIterator]();
  const isHead = req.method === 'HEAD';
  const share = shareOf(req);
  const codingName = negotiateCoding(req, {
    type: String(headers['Content-Type'] ?? ''),
    bytes: Number(headers['Content-Length'] ?? Number.POSITIVE_INFINITY),
    status,
  });
  const isCoded = codingName !== null && codingName !== 'identity';
  await share.resize(isHead ? 0 : stream.memoryBytes + (isCoded ? COMPRESSION_MEMORY_BYTES : 0));
  const first = isHead ? undefined : await chunks.next();
  res.status(status);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  const coding = applyCoding(res, codingName);
  if (isHead) {
    res.end();
    return;
  }
  let fault: unknown;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next?.done === false; next = await chunks.next()) {
        share.waitForClient(() => res.destroy());
        yield next.value;
        share.clientMoved(next.value.byteLength);
      }
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      await chunks.return?.();
    }
  }
  // The socket counts what the kernel accepts, so a slow client is not a stalled one.
  res.setTimeout(limits.readStallMs);
  // Rejects for internal errors and for disconnected clients. Only the former matter, and `res` is destroyed
  // in both cases.
  const sent = coding === null ? pipeline(watched(), res) : pipeline(watched(), coding.stream(), res);
  await sent.catch(() => {});
  if (fault !== undefined)
    log.error({ requestId: requestIdOf(res), err: fault }, 'response aborted by an internal error');
}

/** Sends answers: small ones as JSON, large ones as streams at the pace of the client. */

import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { requestIdOf } from './request-id.ts';

/** Answers with JSON. */
export function sendJson(res: Response, status: number, value: unknown): void {
  sendJsonText(res, status, JSON.stringify(value));
}

/** Answers with JSON that is text already. */
export function sendJsonText(res: Response, status: number, text: string): void {
  res.status(status);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'application/json');
  res.send(Buffer.from(text));
}

/** A large answer. */
export interface Stream {
  status: number;
  headers: Readonly<Record<string, string | number>>;
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Answers with a stream; chunks are made when the client takes them. HEAD gets the headers alone.
 *
 * A fault before the first chunk is thrown and can be answered; one after it destroys the connection, so that a broken
 * file never looks like a whole one, and goes to the log.
 */
export async function sendStream(req: Request, res: Response, stream: Stream, log: Logger): Promise<void> {
  const { status, headers } = stream;
  const chunks = stream.chunks[Symbol.asyncIterator]();
  const isHead = req.method === 'HEAD';
  const first = isHead ? undefined : await chunks.next();
  res.status(status);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (isHead) {
    res.end();
    return;
  }
  let fault: unknown;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      if (first?.done === false) yield first.value;
      yield* { [Symbol.asyncIterator]: () => chunks };
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      await chunks.return?.();
    }
  }
  // Rejects for a fault of ours and for a client that is gone; only the first is news, and `res` is destroyed by now.
  await pipeline(watched(), res).catch(() => {});
  if (fault !== undefined)
    log.error({ requestId: requestIdOf(res), err: fault }, 'an answer was broken off for a fault of ours');
}

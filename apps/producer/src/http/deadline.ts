/** The deadlines of requests: timeout header, disconnection of the client, and clients that stop reading. */

import { RequestError } from '@embedmill/contract';
import type { Request, RequestHandler, Response } from 'express';
import * as z from 'zod';
import { checkInput, integerText } from './check-input.ts';

/** Headers of interactive requests, in lower case. */
export const deadlineHeaders = z.object({
  'request-timeout-ms': integerText(1, 600_000)
    .default(30_000)
    .describe('Deadline in milliseconds; a request that is not answered by then fails with 504.'),
});

/**
 * How long a request may take: `timeoutMs`, and a signal that is aborted when the client disconnects.
 * @throws {RequestError} `invalid-headers`
 */
export function deadlineOf(req: Request, res: Response): { timeoutMs: number; signal: AbortSignal } {
  const { 'request-timeout-ms': timeoutMs } = checkInput(deadlineHeaders, 'headers', req.headers);
  return { timeoutMs, signal: abortOnDisconnect(res) };
}

/** A signal that is aborted when the connection closes before the response is sent. */
export function abortOnDisconnect(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(new RequestError('client-gone', 'the client disconnected'));
  });
  return controller.signal;
}

/**
 * A signal that is aborted after this time, or when the connection closes. Its timer holds it: a signal of
 * `AbortSignal.timeout` to which only `AbortSignal.any` refers is collected as garbage and never aborts (Node 20).
 */
export function abortAfter(res: Response, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    clearTimeout(timer);
    controller.abort();
  };
  const timer = setTimeout(end, timeoutMs);
  res.once('close', end);
  return controller.signal;
}

/** Ends responses that are complete, and of which the client reads nothing for `readStallMs`. */
export function endStalledReaders(readStallMs: number): RequestHandler {
  return (_req, res, next) => {
    // From here to `finish` the rest of the response waits for the client.
    res.once('prefinish', () => res.setTimeout(readStallMs));
    next();
  };
}

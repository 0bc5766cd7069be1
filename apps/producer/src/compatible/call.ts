/** What every synchronous call has in common: its deadline, and its client that may go away. */

import type { Request, Response } from 'express';
import { whenGone } from '../http/abort-on-disconnect.ts';
import { parse } from '../http/parse.ts';
import { deadlineHeaders } from '../native/schemas.ts';

/**
 * When the answer is of no use any more.
 * @throws {RequestError} `invalid-headers`
 */
export function patienceOf(req: Request, res: Response): { timeoutMs: number; signal: AbortSignal } {
  const { 'request-timeout-ms': timeoutMs } = parse(deadlineHeaders, 'headers', req.headers);
  return { timeoutMs, signal: whenGone(res) };
}

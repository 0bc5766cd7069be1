/** What every synchronous call has in common: its deadline, and its client that may go away. */

import type { Request, Response } from 'express';
import { whenGone } from '../gone.ts';
import { parse } from '../parse.ts';
import { deadlineHeaders } from '../schemas.ts';

/**
 * When the answer is of no use any more.
 * @throws {RequestError} `invalid-headers`
 */
export function patienceOf(req: Request, res: Response): { timeoutMs: number; signal: AbortSignal } {
  const { 'request-timeout-ms': timeoutMs } = parse(deadlineHeaders, 'headers', req.headers);
  return { timeoutMs, signal: whenGone(res) };
}

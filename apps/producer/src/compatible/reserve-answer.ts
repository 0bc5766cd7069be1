/** Takes the memory of an answer from the budget before its vectors are requested. */

import type { Request } from 'express';
import { shareOf } from '../http/memory-budget.ts';

/** A vector of 384 numbers as floats, as text, and as the bytes of the response. */
const BYTES_PER_VECTOR = 12 * 1024;

/**
 * Makes room for an answer of this many texts in the memory share of a request. Half of what the body took is
 * free by now: the bytes that were parsed.
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function reserveAnswer(req: Request, texts: number): Promise<void> {
  const share = shareOf(req);
  await share.resize(share.bytes / 2 + texts * BYTES_PER_VECTOR);
}

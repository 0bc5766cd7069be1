/** Takes the memory of an answer from the budget before its vectors are requested. */

import type { Request } from 'express';
import { shareOf } from '../http/memory-budget.ts';

/** A vector of 384 numbers as floats, as text, and as the bytes of the response. */
const BYTES_PER_VECTOR = 12 * 1024;

/**
 * Adds an answer of this many texts to the memory share of a request, beside its body.
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function reserveAnswer(req: Request, texts: number): Promise<void> {
  const share = shareOf(req);
  await share.resize(share.bytes + texts * BYTES_PER_VECTOR);
}

/** A token as an object, as text and as the bytes of the response, divided by the characters of a token. */
const BYTES_PER_CHAR = 64;

/**
 * Adds the tokens of these texts to the memory share of a request, beside its body.
 * @throws {UnavailableError} `overloaded` when the memory budget is used up
 */
export async function reserveTokens(req: Request, texts: readonly string[]): Promise<void> {
  const share = shareOf(req);
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  await share.resize(share.bytes + chars * BYTES_PER_CHAR);
}

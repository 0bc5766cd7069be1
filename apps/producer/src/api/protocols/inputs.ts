/** What foreign APIs take as texts, and limits that they share. */

import { estimateTokens, type InteractiveText } from '@embedmill/core';
import { z } from 'zod';

/** Most texts of one synchronous call, as at OpenAI; runs and batches take any number. */
export const MOST_INPUTS = 2048;

/** Most estimated tokens of one synchronous call after truncation, as at OpenAI. */
export const MOST_CALL_TOKENS = 300_000;

const tokenIds = z.array(
  z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
);

/** A text, texts, the token ids of a text, or of several; ids are those of the served model's own vocabulary. */
export const inputsSchema = z.union([z.string(), z.array(z.string()), tokenIds, z.array(tokenIds)]);

/** The value of such a field. */
export type Inputs = z.output<typeof inputsSchema>;

/** One entry per text. */
export function textsOf(inputs: Inputs): InteractiveText[] {
  if (typeof inputs === 'string') return [inputs];
  // Numbers in a list are the tokens of one text. An empty list is no text.
  return typeof inputs[0] === 'number' ? [inputs as number[]] : (inputs as InteractiveText[]);
}

/** Tokens that these texts will probably cost, each cut at the limit of the model. */
export function estimateCall(texts: readonly InteractiveText[]): number {
  return texts.reduce(
    (sum, text) => sum + (typeof text === 'string' ? estimateTokens(text) : text.length + 2),
    0,
  );
}

/** What foreign APIs take as texts, and limits that they share. */

import type { TextInput } from '@embedmill/contract';
import { estimateTokens } from '@embedmill/core/runs';
import { z } from 'zod';

/** Most texts of one synchronous call, as at OpenAI; runs and batches take any number. */
export const MAX_INPUTS = 2048;

/** Most estimated tokens of one synchronous call after truncation, as at OpenAI. */
export const MAX_CALL_TOKENS = 300_000;

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
export function textsOf(inputs: Inputs): TextInput[] {
  if (typeof inputs === 'string') return [inputs];
  // Numbers in a list are the tokens of one text. An empty list is no text.
  return typeof inputs[0] === 'number' ? [inputs as number[]] : (inputs as TextInput[]);
}

/** Tokens that these texts will probably cost, each cut at the limit of the model. */
export function estimateCall(texts: readonly TextInput[]): number {
  return texts.reduce(
    (sum, text) => sum + (typeof text === 'string' ? estimateTokens(text) : text.length + 2),
    0,
  );
}

/** Text inputs of the interactive calls of all protocols, and their limits. */

import type { InputType, TextInput } from '@embedmill/contract';
import { estimateTokens } from '@embedmill/core/runs';
import * as z from 'zod';

/** Maximum texts per interactive call, as in the OpenAI API; runs and batches take any number. */
export const MAX_INPUTS = 2048;

/** Maximum estimated tokens per call after truncation, as in the OpenAI API. */
export const MAX_CALL_TOKENS = 300_000;

const tokenIds = z.array(
  z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
);

/** One or several texts, or the token ids of one or several texts, in the served model's vocabulary. */
export const inputsSchema = z.union([z.string(), z.array(z.string()), tokenIds, z.array(tokenIds)]);

/** A value of `inputsSchema`. */
export type Inputs = z.output<typeof inputsSchema>;

/** Input types as the APIs of model vendors spell them. */
export const inputTypeName = z.enum([
  'query',
  'search_query',
  'document',
  'passage',
  'search_document',
  'none',
]);

/** The input type; without a name none, because the clients of these APIs add prompts themselves. */
export function inputTypeOf(name: z.output<typeof inputTypeName> = 'none'): InputType {
  if (name === 'none') return name;
  return name.endsWith('query') ? 'query' : 'document';
}

/** The texts of an input, one entry per text. */
export function textsOf(inputs: Inputs): TextInput[] {
  if (typeof inputs === 'string') return [inputs];
  // A list of numbers is the tokens of one text. An empty list holds no text.
  return typeof inputs[0] === 'number' ? [inputs as number[]] : (inputs as TextInput[]);
}

/** Estimated tokens of these texts, each truncated at the limit of the model. */
export function estimateCall(texts: readonly TextInput[]): number {
  return texts.reduce(
    (sum, text) => sum + (typeof text === 'string' ? estimateTokens(text) : text.length + 2),
    0,
  );
}

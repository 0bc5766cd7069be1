/** Schemas of the requests to the API of Text Embeddings Inference. */

import { type InputType, quote, RequestError } from '@embedmill/contract';
import * as z from 'zod';
import { inputsSchema, inputTypeName, inputTypeOf, MAX_INPUTS } from '../compatible/inputs.ts';
import { withoutNulls } from '../http/null-as-absent.ts';
import { TeiError } from './errors.ts';

/** Body of `POST /embed`. */
export const teiEmbedBody = z.object({
  inputs: inputsSchema.describe(`A text, up to ${MAX_INPUTS} texts, or token ids.`),
  truncate: z
    .boolean()
    .optional()
    .describe('Whether to truncate over-long texts; otherwise they are an error. Default: true.'),
  truncation_direction: z
    .enum(['left', 'right', 'Left', 'Right'])
    .default('right')
    .describe('Which end of an over-long text to cut.'),
  prompt_name: z
    .string()
    .optional()
    .describe('Prompt of the model: query, document or passage. Default: none.'),
  normalize: z.boolean().default(true).describe('Must be true, because vectors always have length 1.'),
  dimensions: z
    .int()
    .optional()
    .describe('Number of leading floats to keep; the shortened vector is renormalized to length 1.'),
});

/** Body of `POST /similarity`. */
export const teiSimilarityBody = z.object({
  inputs: z.object({
    source_sentence: z.string().describe('The text to compare the sentences with.'),
    sentences: z.array(z.string()).describe('The sentences to compare.'),
  }),
  parameters: teiEmbedBody
    .pick({ truncate: true, truncation_direction: true, prompt_name: true })
    .optional()
    .describe('Same as in /embed.'),
});

/** Body of `POST /tokenize`. */
export const teiTokenizeBody = z.object({
  inputs: z.union([z.string(), z.array(z.string())]).describe('A text or texts.'),
  add_special_tokens: z.boolean().default(true).describe('Whether to include [CLS] and [SEP].'),
  prompt_name: z.string().optional().describe('Must be absent.'),
});

/**
 * Returns the values of a body, with defaults filled in. Null for an optional field means that it is absent.
 * @throws {RequestError} `invalid-body` for the first invalid field
 */
export function parseTeiBody<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(schema, given));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new RequestError('invalid-body', path.length === 0 ? message : `${path.join('.')}: ${message}`);
  }
  return parsed.data;
}

/** The input type that a prompt name stands for. @throws {TeiError} for an unknown name */
export function inputTypeOfPrompt(name: string | undefined): InputType {
  if (name === undefined) return 'none';
  const parsed = inputTypeName.safeParse(name);
  if (parsed.success) return inputTypeOf(parsed.data);
  throw new TeiError(
    'Validation',
    `Input validation error: the prompt ${quote(name)} is unknown; expected query, document or passage`,
  );
}

/** @throws {TeiError} for any prompt name, because `/tokenize` returns the tokens of the text alone */
export function rejectPrompt(name: string | undefined): void {
  if (name === undefined) return;
  throw new TeiError('Validation', `Input validation error: /tokenize takes no prompt, got ${quote(name)}`);
}

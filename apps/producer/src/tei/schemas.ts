/** What requests to Text Embeddings Inference may hold. */

import { quote, RequestError } from '@embedmill/contract';
import { z } from 'zod';
import { inputsSchema, MAX_INPUTS } from '../compatible/inputs.ts';
import { TeiError } from './errors.ts';

/** Body of `POST /embed`. */
export const embedBody = z.object({
  inputs: inputsSchema.describe(`A text, up to ${MAX_INPUTS} texts, or token ids.`),
  truncate: z
    .boolean()
    .nullish()
    .describe('Default true: a text beyond the limit is cut; false: it is an error.'),
  truncation_direction: z
    .enum(['left', 'right', 'Left', 'Right'])
    .default('right')
    .describe('The side where a long text is cut.'),
  prompt_name: z.string().nullish().describe('Must be absent: the served models have no prompts.'),
  normalize: z.boolean().default(true).describe('Must be true: vectors have length 1.'),
  dimensions: z.int().nullish().describe('First floats to keep, brought back to length 1.'),
});

/** Body of `POST /similarity`. */
export const similarityBody = z.object({
  inputs: z.object({
    source_sentence: z.string().describe('The text that the others are compared with.'),
    sentences: z.array(z.string()).describe('The others.'),
  }),
  parameters: embedBody
    .pick({ truncate: true, truncation_direction: true, prompt_name: true })
    .nullish()
    .describe('As in /embed.'),
});

/** Body of `POST /tokenize`. */
export const tokenizeBody = z.object({
  inputs: z.union([z.string(), z.array(z.string())]).describe('A text or texts.'),
  add_special_tokens: z.boolean().default(true).describe('Whether [CLS] and [SEP] are listed.'),
  prompt_name: z.string().nullish().describe('Must be absent.'),
});

/**
 * The values of a body.
 * @throws {RequestError} `invalid-body` for a wrong shape
 * @throws {TeiError} for a prompt, of which there are none
 */
export function checkBody<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new RequestError('invalid-body', path.length === 0 ? message : `${path.join('.')}: ${message}`);
  }
  return parsed.data;
}

/** @throws {TeiError} for any prompt */
export function refusePrompt(name: string | null | undefined): void {
  if (name === null || name === undefined) return;
  throw new TeiError(
    'Validation',
    `Input validation error: \`default-prompts\` is not set, so the prompt ${quote(name)} cannot be used`,
  );
}

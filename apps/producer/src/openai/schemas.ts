/** What requests to the OpenAI API may hold; a message that the API has words for stands in the schema. */

import { quote } from '@embedmill/contract';
import { z } from 'zod';
import { inputsSchema, MAX_INPUTS } from '../compatible/inputs.ts';
import { invalidInput, OpenAiError } from './errors.ts';

/** Body of `POST /v1/embeddings`. Fields that we do not know are ignored. */
export const embeddingsBody = z.object({
  model: z.string().describe('A name of the served model.'),
  input: inputsSchema.describe(
    `A text, up to ${MAX_INPUTS} texts, or token ids of the served model's own vocabulary.`,
  ),
  encoding_format: z
    .enum(['float', 'base64'])
    .default('float')
    .describe('base64 is that of little-endian float32.'),
  dimensions: z.int().min(1).optional().describe('First floats to keep, brought back to length 1.'),
  user: z.string().optional().describe('Accepted and not used.'),
  truncate: z
    .enum(['end', 'start', 'error'])
    .default('end')
    .describe('Ours: what to drop of a text beyond the limit; `error` answers 400 as the OpenAI API does.'),
});

/** A checked body. */
export type EmbeddingsBody = z.output<typeof embeddingsBody>;

/**
 * Checks the body of an embeddings call, synchronous or in a batch.
 * @throws {OpenAiError} with the words of the OpenAI API
 */
export function parseEmbeddings(given: unknown): EmbeddingsBody {
  const body = checkBody(embeddingsBody, given, (field, value) => {
    if (field === 'model' && value === undefined)
      return new OpenAiError('you must provide a model parameter');
    if (field === 'input') return invalidInput();
    if (field === 'encoding_format')
      return new OpenAiError(
        `Invalid value for 'encoding_format' = ${typeof value === 'string' ? value.slice(0, 60) : quote(value)}. Supported values: ['float', 'base64'].`,
        { param: 'encoding_format' },
      );
    return undefined;
  });
  if (body.input.length === 0) throw invalidInput();
  if (Array.isArray(body.input) && body.input.some((one) => typeof one !== 'number' && one.length === 0))
    throw invalidInput();
  return body;
}

/**
 * The values of a body.
 * @param inWords the error for a field, where the OpenAI API has words of its own
 * @throws {OpenAiError} for the first field that cannot be used
 */
export function checkBody<Schema extends z.ZodObject>(
  schema: Schema,
  given: unknown,
  inWords: (field: string, value: unknown) => OpenAiError | undefined = () => undefined,
): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  if (path.length === 0) throw new OpenAiError(`the body is ${quote(given)}; expected an object`);
  const field = String(path[0]);
  const value = (given as Record<string, unknown>)[field];
  const worded = inWords(field, value);
  if (worded !== undefined) throw worded;
  if (value === undefined)
    throw new OpenAiError(`Missing required parameter: '${field}'.`, {
      param: field,
      code: 'missing_required_parameter',
    });
  throw new OpenAiError(`Invalid value for '${path.join('.')}' = ${quote(value)}: ${message}`, {
    param: field,
    code: 'invalid_value',
  });
}

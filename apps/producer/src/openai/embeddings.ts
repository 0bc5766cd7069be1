/** The request and the response of an embeddings call of the OpenAI API, synchronous or in a batch. */

import { quote, rowView, shorten } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { z } from 'zod';
import { inputTypeName, MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { countTokens, firstFault } from '../compatible/outcomes.ts';
import { invalidInput, OpenAiError, openAiTextError } from './errors.ts';
import { parseOpenAiInput } from './parse-input.ts';

/** Body of `POST /v1/embeddings`. Unknown fields are ignored. */
export const openAiEmbeddingsBody = z.object({
  model: z.string().describe('A name of the served model.'),
  input: z
    .union([z.string(), z.array(z.string())])
    .describe(`A text, or up to ${MAX_INPUTS} texts; not token ids.`),
  encoding_format: z
    .enum(['float', 'base64'])
    .default('float')
    .describe('Encoding of the vectors; base64 encodes little-endian float32.'),
  dimensions: z
    .int()
    .min(1)
    .optional()
    .describe('Number of leading floats to keep; the shortened vector is renormalized to length 1.'),
  user: z.string().optional().describe('Accepted and ignored.'),
  input_type: inputTypeName
    .optional()
    .describe(
      'Not in the OpenAI API: selects the prompt of the model. Default: none, as clients add prompts themselves.',
    ),
  truncate: z
    .enum(['end', 'start', 'error'])
    .default('end')
    .describe(
      'Not in the OpenAI API: which end of an over-long text to cut; `error` answers 400 as the OpenAI API does.',
    ),
});

/** A checked body. */
export type OpenAiEmbeddings = z.output<typeof openAiEmbeddingsBody>;

/**
 * Checks the body of an embeddings call.
 * @throws {OpenAiError} with the wording of the OpenAI API
 */
export function parseOpenAiEmbeddings(given: unknown): OpenAiEmbeddings {
  const body = parseOpenAiInput(openAiEmbeddingsBody, given, (field, value) => {
    if (field === 'model' && value === undefined)
      return new OpenAiError('you must provide a model parameter');
    if (field === 'input') return invalidInput(isTokenIds(value) ? NO_TOKEN_IDS : undefined);
    if (field === 'encoding_format')
      return new OpenAiError(
        `Invalid value for 'encoding_format' = ${typeof value === 'string' ? value.slice(0, 60) : quote(value)}. Supported values: ['float', 'base64'].`,
        { param: 'encoding_format' },
      );
    return undefined;
  });
  if (body.input.length === 0) throw invalidInput();
  if (Array.isArray(body.input) && body.input.some((one) => one.length === 0)) throw invalidInput();
  return body;
}

/**
 * Clients of the OpenAI API send the ids of OpenAI's tokenizers, most of which are ids of other tokens of our
 * models: the vector would be that of another text.
 */
const NO_TOKEN_IDS =
  "token ids are those of OpenAI's tokenizers, not of this model; send texts (LangChain for Python: check_embedding_ctx_length=False)";

function isTokenIds(input: unknown): boolean {
  return Array.isArray(input) && [input, ...input].flat().some((one) => typeof one === 'number');
}

/**
 * The response to an embeddings call, as JSON text.
 * @param vectors one row of `dim` floats per text
 * @throws {OpenAiError} for the first text without a vector, and for more `dimensions` than the model has
 */
export function embeddingsJson(
  { model, input, encoding_format, dimensions, truncate }: OpenAiEmbeddings,
  { vectors, dim, outcomes }: Pick<EmbedAnswer, 'vectors' | 'dim' | 'outcomes'>,
): string {
  if (dimensions !== undefined && dimensions > dim) {
    throw new OpenAiError(
      `Invalid value for 'dimensions' = ${dimensions}. This model has ${dim} dimensions, expected 1 to ${dim}.`,
      { param: 'dimensions' },
    );
  }
  const found = firstFault({ outcomes }, truncate !== 'error', textsOf(input));
  if (found !== null) throw openAiTextError(found.fault);
  const items = outcomes.map((_, index) => {
    const embedding = vectorJson(shorten(rowView(vectors, dim, index), dimensions), encoding_format);
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
  });
  const tokens = countTokens(outcomes);
  const usage = JSON.stringify({ prompt_tokens: tokens, total_tokens: tokens });
  return `{"object":"list","data":[${items.join(',')}],"model":${JSON.stringify(model)},"usage":${usage}}`;
}

/** The request and the response of an embeddings call of the OpenAI API, synchronous or in a batch. */

import { quote, rowView, shorten } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import * as z from 'zod';
import { inputsSchema, inputTypeName, MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { isServedModel, type ModelSetting, namesOf } from '../compatible/models.ts';
import { countTokens, firstFault } from '../compatible/outcomes.ts';
import { invalidInput, OpenAiError, openAiTextError } from './errors.ts';
import { parseOpenAiInput } from './parse-input.ts';

/** Body of `POST /v1/embeddings`. Unknown fields are ignored. */
export const openAiEmbeddingsBody = z.object({
  model: z.string().describe('A name of the served model.'),
  input: inputsSchema.describe(
    `A text, up to ${MAX_INPUTS} texts, or token ids of \`tokenizer\` without [CLS] and [SEP].`,
  ),
  tokenizer: z
    .string()
    .optional()
    .describe(
      'Not in the OpenAI API: the model whose tokenizer made the token ids in `input`, which must be a name of the served model. Token ids without it are refused.',
    ),
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
export function parseOpenAiEmbeddings(given: unknown, config: ModelSetting): OpenAiEmbeddings {
  const body = parseOpenAiInput(openAiEmbeddingsBody, given, (field, value) => {
    if (field === 'model' && (value === undefined || value === null))
      return new OpenAiError('you must provide a model parameter');
    if (field === 'input') return invalidInput();
    if (field === 'encoding_format')
      return new OpenAiError(
        `Invalid value for 'encoding_format' = ${typeof value === 'string' ? value.slice(0, 60) : quote(value)}. Supported values: ['float', 'base64'].`,
        { param: 'encoding_format' },
      );
    return undefined;
  });
  const texts = textsOf(body.input);
  if (texts.length === 0) throw invalidInput();
  if (texts.some((text) => typeof text !== 'string')) assertOwnTokenIds(body.tokenizer, config);
  const empty = texts.findIndex(({ length }) => length === 0);
  if (empty !== -1)
    throw invalidInput(texts.length === 1 ? undefined : `the input at index ${empty} is empty`);
  return body;
}

/**
 * Clients of the OpenAI API send the ids of OpenAI's tokenizers, most of which are ids of other tokens of our
 * models: the vector would be that of another text.
 * @throws {OpenAiError} unless the request states that the ids are of the served model
 */
function assertOwnTokenIds(tokenizer: string | undefined, config: ModelSetting): void {
  if (tokenizer === undefined) {
    throw invalidInput(
      "these token ids may be those of OpenAI's tokenizers (cl100k_base), which mean other words in this model; " +
        'send texts (LangChain for Python: OpenAIEmbeddings(check_embedding_ctx_length=False)), or state the ' +
        `tokenizer of the ids: "tokenizer": ${JSON.stringify(namesOf(config)[0])}`,
    );
  }
  if (isServedModel(tokenizer, config)) return;
  throw new OpenAiError(
    `Invalid value for 'tokenizer' = ${quote(tokenizer)}: token ids of another tokenizer mean other words in this ` +
      `model; expected ${namesOf(config)[0]}. Send texts instead.`,
    { param: 'tokenizer', code: 'invalid_value' },
  );
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

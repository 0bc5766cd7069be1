/** POST /v1/embeddings: texts in, vectors out, now. */

import { rowView } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { Router } from 'express';
import { patienceOf } from '../compatible/call.ts';
import { estimateCall, MAX_CALL_TOKENS, MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { checkModel } from '../compatible/models.ts';
import { countTokens, firstFault } from '../compatible/outcomes.ts';
import { shorten } from '../compatible/vectors.ts';
import { readAnyJson } from '../http/body.ts';
import { addPath } from '../http/methods.ts';
import { sendJsonText } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { errorOfText, invalidInput, OpenAiError } from './errors.ts';
import { type EmbeddingsBody, parseEmbeddings } from './schemas.ts';

export function embeddingsRoutes({ service, config, limits }: RouteParts): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };
  addPath(router, '/v1/embeddings', {
    post: async (req, res) => {
      const startedAt = performance.now();
      const body = parseEmbeddings(await readAnyJson(req, bodyLimits));
      checkModel(body.model, config);
      const texts = textsOf(body.input);
      if (texts.length > MAX_INPUTS) throw invalidInput(`array length must be ${MAX_INPUTS} or less`);
      const tokens = estimateCall(texts);
      if (tokens > MAX_CALL_TOKENS) {
        throw new OpenAiError(`Requested ${tokens} tokens, max ${MAX_CALL_TOKENS} tokens per request`, {
          type: 'max_tokens_per_request',
          code: 'max_tokens_per_request',
        });
      }
      const answer = await service.lane().embed(texts, {
        precision: 'int8',
        truncate: body.truncate === 'start' ? 'start' : 'end',
        ...patienceOf(req, res),
      });
      const json = embeddingsJson(body, answer);
      res.setHeader('openai-processing-ms', Math.round(performance.now() - startedAt));
      sendJsonText(res, 200, json);
    },
  });
  return router;
}

/**
 * The answer to a call, as JSON text; batches write it into their output too.
 * @throws {OpenAiError} for the first text without a vector
 */
export function embeddingsJson(
  { model, input, encoding_format, dimensions, truncate }: EmbeddingsBody,
  { vectors, dim, outcomes }: Pick<EmbedAnswer, 'vectors' | 'dim' | 'outcomes'>,
): string {
  if (dimensions !== undefined && dimensions > dim) {
    throw new OpenAiError(
      `Invalid value for 'dimensions' = ${dimensions}. This model has ${dim} dimensions, expected 1 to ${dim}.`,
      { param: 'dimensions' },
    );
  }
  const found = firstFault({ outcomes }, truncate !== 'error', textsOf(input));
  if (found !== null) throw errorOfText(found.fault);
  const items = outcomes.map((_, index) => {
    const embedding = vectorJson(shorten(rowView(vectors, dim, index), dimensions), encoding_format);
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
  });
  const tokens = countTokens(outcomes);
  const usage = JSON.stringify({ prompt_tokens: tokens, total_tokens: tokens });
  return `{"object":"list","data":[${items.join(',')}],"model":${JSON.stringify(model)},"usage":${usage}}`;
}

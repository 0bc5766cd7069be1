/** POST /v1/embeddings, also without /v1: embeds texts immediately. */

import { UNTREATED } from '@embedmill/contract';
import { type Request, type Response, Router } from 'express';
import { embedTexts } from '../compatible/embed-texts.ts';
import { estimateCall, inputTypeOf, MAX_CALL_TOKENS, MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { assertServedModel } from '../compatible/models.ts';
import { reserveAnswer } from '../compatible/reserve-answer.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonOfAnyType } from '../http/body.ts';
import { deadlineOf } from '../http/deadline.ts';
import { sendJsonText } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { embeddingsJson, parseOpenAiEmbeddings } from './embeddings.ts';
import { invalidInput, OpenAiError } from './errors.ts';

/** `/v1/embeddings` and `/embeddings`, for clients whose base URL lacks `/v1`. */
export function openAiEmbeddingsRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };
  const answer = async (req: Request, res: Response): Promise<void> => {
    const startedAt = performance.now();
    const body = parseOpenAiEmbeddings(await readJsonOfAnyType(req, bodyLimits), config);
    assertServedModel(body.model, config);
    const texts = textsOf(body.input);
    if (texts.length > MAX_INPUTS) throw invalidInput(`array length must be ${MAX_INPUTS} or less`);
    const tokens = estimateCall(texts);
    if (tokens > MAX_CALL_TOKENS) {
      throw new OpenAiError(`Requested ${tokens} tokens, max ${MAX_CALL_TOKENS} tokens per request`, {
        type: 'max_tokens_per_request',
        code: 'max_tokens_per_request',
      });
    }
    await reserveAnswer(req, texts.length);
    const embedded = await embedTexts(service.lane(), texts, {
      precision: 'int8',
      truncate: body.truncate === 'start' ? 'start' : 'end',
      treatment: { ...UNTREATED, inputType: inputTypeOf(body.input_type) },
      ...deadlineOf(req, res),
    });
    const json = embeddingsJson(body, embedded);
    res.setHeader('openai-processing-ms', Math.round(performance.now() - startedAt));
    sendJsonText(res, 200, json);
  };
  addPath(router, '/v1/embeddings', { post: answer });
  addPath(router, '/embeddings', { post: answer });
  return router;
}

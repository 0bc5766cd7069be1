/** POST /embed (also at / and /invocations), /similarity and /tokenize. */

import { rowView, shorten, type TextInput, UNTREATED } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { type Request, type Response, Router } from 'express';
import { embedTexts } from '../compatible/embed-texts.ts';
import { MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { countTokens, firstFault } from '../compatible/outcomes.ts';
import { reserveAnswer } from '../compatible/reserve-answer.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonOfAnyType } from '../http/body.ts';
import { deadlineOf } from '../http/deadline.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson, sendJsonText, sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { TeiError, teiTextError } from './errors.ts';
import {
  inputTypeOfPrompt,
  parseTeiBody,
  rejectPrompt,
  teiEmbedBody,
  teiSimilarityBody,
  teiTokenizeBody,
} from './schemas.ts';
import { SLICE_CHARS, tokenizeInSlices } from './tokenize.ts';

/** Maximum characters per call of `/tokenize`: the response has up to 60 bytes for each. */
const MAX_TOKENIZED_CHARS = 1_000_000;
/** A token as an object, as text and as the bytes of the response, divided by the characters of a token. */
const ANSWER_BYTES_PER_CHAR = 64;

/** Options for over-long texts, and the prompt. */
interface TextOptions {
  truncate?: boolean | undefined;
  truncation_direction?: string;
  prompt_name?: string | undefined;
}

/** `/embed`, `/invocations`, `/similarity`, `/tokenize` and POST `/`. */
export function teiEmbedRoutes({ service, limits, log }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  const embed = async (
    req: Request,
    res: Response,
    texts: readonly TextInput[],
    { truncate, truncation_direction = 'right', prompt_name }: TextOptions,
  ): Promise<EmbedAnswer> => {
    const inputType = inputTypeOfPrompt(prompt_name);
    assertTextCount(texts.length);
    await reserveAnswer(req, texts.length);
    const empty = texts.findIndex(({ length }) => length === 0);
    if (empty !== -1) {
      const message = texts.length === 1 ? undefined : `\`inputs\` at index ${empty} cannot be empty`;
      throw teiTextError({ kind: 'empty', message });
    }
    const answer = await embedTexts(service.lane(), texts, {
      precision: 'int8',
      truncate: truncation_direction.toLowerCase() === 'left' ? 'start' : 'end',
      treatment: { ...UNTREATED, inputType },
      ...deadlineOf(req, res),
    });
    const found = firstFault(answer, truncate !== false, texts);
    if (found !== null) throw teiTextError(found.fault);
    setTimingHeaders(res, answer, texts);
    return answer;
  };

  const answerEmbed = async (req: Request, res: Response): Promise<void> => {
    const body = parseTeiBody(teiEmbedBody, await readJsonOfAnyType(req, bodyLimits));
    const texts = textsOf(body.inputs);
    if (!body.normalize) {
      throw new TeiError(
        'Validation',
        'Input validation error: `normalize` must be true: this server returns vectors of length 1 only',
      );
    }
    const { dimensions } = body;
    if (dimensions !== undefined && dimensions < 1)
      throw new TeiError('Validation', 'Input validation error: `dimensions` should be positive');
    const answer = await embed(req, res, texts, body);
    if (dimensions !== undefined && dimensions > answer.dim) {
      throw new TeiError(
        'Validation',
        'Input validation error: `dimensions` should be smaller than the maximum embedding dimension.',
      );
    }
    const vectors = texts.map((_, i) =>
      vectorJson(shorten(rowView(answer.vectors, answer.dim, i), dimensions), 'float'),
    );
    sendJsonText(res, 200, `[${vectors.join(',')}]`);
  };
  addPath(router, '/embed', { post: answerEmbed });
  addPath(router, '/invocations', { post: answerEmbed });
  // Not `addPath`: GET / belongs to other routes.
  router.post('/', (req, res) => answerEmbed(req, res));

  addPath(router, '/similarity', {
    post: async (req, res) => {
      const { inputs, parameters } = parseTeiBody(
        teiSimilarityBody,
        await readJsonOfAnyType(req, bodyLimits),
      );
      if (inputs.sentences.length === 0) throw teiTextError({ kind: 'empty' });
      const texts = [inputs.source_sentence, ...inputs.sentences];
      const { vectors, dim } = await embed(req, res, texts, parameters ?? {});
      const source = rowView(vectors, dim, 0);
      // Vectors have length 1, so the cosine is the dot product.
      const cosines = inputs.sentences.map((_, i) => dot(source, rowView(vectors, dim, i + 1)));
      sendJson(res, 200, cosines);
    },
  });

  addPath(router, '/tokenize', {
    post: async (req, res) => {
      const body = parseTeiBody(teiTokenizeBody, await readJsonOfAnyType(req, bodyLimits));
      rejectPrompt(body.prompt_name);
      const texts = typeof body.inputs === 'string' ? [body.inputs] : body.inputs;
      assertTextCount(texts.length);
      const chars = texts.reduce((sum, text) => sum + text.length, 0);
      if (chars > MAX_TOKENIZED_CHARS) {
        const message = `Input validation error: \`inputs\` must have at most ${MAX_TOKENIZED_CHARS} characters. Given: ${chars}`;
        throw new TeiError('Validation', message);
      }
      const chunks = tokenizeInSlices(service.lane(), texts, { specialTokens: body.add_special_tokens });
      const memoryBytes = shareOf(req).bytes / 2 + SLICE_CHARS * ANSWER_BYTES_PER_CHAR;
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
      await sendStream(req, res, { status: 200, headers, memoryBytes, chunks }, { log, limits });
    },
  });
  return router;
}

/** @throws {TeiError} `Empty` without texts, `Validation` for too many */
function assertTextCount(texts: number): void {
  if (texts === 0) throw new TeiError('Empty', '`inputs` cannot be empty');
  if (texts > MAX_INPUTS)
    throw new TeiError('Validation', `batch size ${texts} > maximum allowed batch size ${MAX_INPUTS}`);
}

/**
 * Sets the timing headers, in milliseconds. Tokenization is part of inference here and has no time of its
 * own.
 */
function setTimingHeaders(
  res: Response,
  { timings, outcomes }: EmbedAnswer,
  texts: readonly TextInput[],
): void {
  const characters = texts.reduce((sum, text) => sum + (typeof text === 'string' ? [...text].length : 0), 0);
  const headers = {
    'x-compute-type': 'cpu',
    'x-compute-time': Math.round(timings.inferMs),
    'x-compute-characters': characters,
    'x-compute-tokens': countTokens(outcomes),
    'x-total-time': Math.round(timings.totalMs),
    'x-queue-time': Math.round(timings.queueMs),
    'x-inference-time': Math.round(timings.inferMs),
  };
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** POST /embed (also / and /invocations), /similarity and /tokenize. */

import { rowView, type TextInput } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { type Request, type Response, Router } from 'express';
import { patienceOf } from '../compatible/call.ts';
import { MAX_INPUTS, textsOf } from '../compatible/inputs.ts';
import { countTokens, firstFault } from '../compatible/outcomes.ts';
import { shorten } from '../compatible/vectors.ts';
import { readAnyJson } from '../http/body.ts';
import { addPath } from '../http/methods.ts';
import { sendJson, sendJsonText } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { errorOfText, TeiError } from './errors.ts';
import { checkBody, embedBody, refusePrompt, similarityBody, tokenizeBody } from './schemas.ts';

/** How long texts are treated. */
interface Cutting {
  truncate?: boolean | null | undefined;
  truncation_direction?: string;
  prompt_name?: string | null | undefined;
}

export function embedRoutes({ service, limits }: RouteParts): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  const embed = async (
    req: Request,
    res: Response,
    texts: readonly TextInput[],
    { truncate, truncation_direction = 'right', prompt_name }: Cutting,
  ): Promise<EmbedAnswer> => {
    refusePrompt(prompt_name);
    mustBeFew(texts.length);
    const answer = await service.lane().embed(texts, {
      precision: 'int8',
      truncate: truncation_direction.toLowerCase() === 'left' ? 'start' : 'end',
      ...patienceOf(req, res),
    });
    const found = firstFault(answer, truncate !== false, texts);
    if (found !== null) throw errorOfText(found.fault);
    tellTimes(res, answer, texts);
    return answer;
  };

  const answerEmbed = async (req: Request, res: Response): Promise<void> => {
    const body = checkBody(embedBody, await readAnyJson(req, bodyLimits));
    const texts = textsOf(body.inputs);
    if (!body.normalize) {
      throw new TeiError(
        'Validation',
        'Input validation error: `normalize` must be true: the models here give vectors of length 1 only',
      );
    }
    const dimensions = body.dimensions ?? undefined;
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
  // GET belongs to others here.
  router.post('/', (req, res) => answerEmbed(req, res));

  addPath(router, '/similarity', {
    post: async (req, res) => {
      const { inputs, parameters } = checkBody(similarityBody, await readAnyJson(req, bodyLimits));
      if (inputs.sentences.length === 0) throw errorOfText({ kind: 'empty' });
      const texts = [inputs.source_sentence, ...inputs.sentences];
      const { vectors, dim } = await embed(req, res, texts, parameters ?? {});
      const source = rowView(vectors, dim, 0);
      // Vectors have length 1, so the cosine is the product.
      const cosines = inputs.sentences.map((_, i) => dot(source, rowView(vectors, dim, i + 1)));
      sendJson(res, 200, cosines);
    },
  });

  addPath(router, '/tokenize', {
    post: async (req, res) => {
      const body = checkBody(tokenizeBody, await readAnyJson(req, bodyLimits));
      refusePrompt(body.prompt_name);
      const texts = typeof body.inputs === 'string' ? [body.inputs] : body.inputs;
      mustBeFew(texts.length);
      const tokens = await service.lane().tokenize(texts, { specialTokens: body.add_special_tokens });
      sendJson(
        res,
        200,
        // Where a token stands in the text is not known; those servers send null for [CLS] and [SEP] too.
        tokens.map((ofText) => ofText.map((token) => ({ ...token, start: null, stop: null }))),
      );
    },
  });
  return router;
}

/** @throws {TeiError} `Empty` and `Validation` */
function mustBeFew(texts: number): void {
  if (texts === 0) throw new TeiError('Empty', '`inputs` cannot be empty');
  if (texts > MAX_INPUTS)
    throw new TeiError('Validation', `batch size ${texts} > maximum allowed batch size ${MAX_INPUTS}`);
}

/** Where the time went, in milliseconds. Tokenizing is part of the inference here and has no time of its own. */
function tellTimes(res: Response, { timings, outcomes }: EmbedAnswer, texts: readonly TextInput[]): void {
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

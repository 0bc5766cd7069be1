/** POST /api/embed and its older form, /api/embeddings: embed texts immediately. */

import { type RowOutcome, rowView, shorten, UNTREATED } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { type Request, type Response, Router } from 'express';
import { embedTexts } from '../compatible/embed-texts.ts';
import { assertServedModel } from '../compatible/models.ts';
import { countTokens, firstFault, type TextFault } from '../compatible/outcomes.ts';
import { reserveAnswer } from '../compatible/reserve-answer.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonOfAnyType } from '../http/body.ts';
import { deadlineOf } from '../http/deadline.ts';
import { sendJsonText } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { OllamaError } from './errors.ts';
import { ollamaEmbedBody, ollamaEmbeddingsBody, parseOllamaBody } from './schemas.ts';

const NANOSECONDS_PER_MS = 1_000_000;

/** `/api/embed` and `/api/embeddings`. */
export function ollamaEmbedRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };
  const embed = async (req: Request, res: Response, texts: readonly string[]): Promise<EmbedAnswer> => {
    await reserveAnswer(req, texts.length);
    return await embedTexts(service.lane(), texts, {
      precision: 'int8',
      truncate: 'end',
      // Clients of Ollama add prompts themselves.
      treatment: { ...UNTREATED, inputType: 'none' },
      ...deadlineOf(req, res),
    });
  };

  addPath(router, '/api/embed', {
    post: async (req, res) => {
      const { model, input, truncate, dimensions } = parseOllamaBody(
        ollamaEmbedBody,
        await readJsonOfAnyType(req, bodyLimits),
      );
      assertServedModel(model, config);
      const texts = typeof input === 'string' ? [input] : (input ?? []);
      if (texts.length === 0 || input === '') {
        sendJsonText(res, 200, `{"model":${JSON.stringify(model)},"embeddings":[]}`);
        return;
      }
      const answer = await embed(req, res, texts);
      assertAllEmbedded(texts, answer.outcomes, truncate !== false);
      const kept = dimensions === undefined || dimensions < 1 ? undefined : dimensions;
      const vectors = texts.map((_, i) =>
        vectorJson(shorten(rowView(answer.vectors, answer.dim, i), kept), 'float'),
      );
      const { totalMs } = answer.timings;
      const measured = JSON.stringify({
        total_duration: Math.round(totalMs * NANOSECONDS_PER_MS),
        // Models are always loaded; ollama-ai-provider-v2 requires the field.
        load_duration: 0,
        prompt_eval_count: countTokens(answer.outcomes),
      });
      sendJsonText(
        res,
        200,
        `{"model":${JSON.stringify(model)},"embeddings":[${vectors.join(',')}],${measured.slice(1)}`,
      );
    },
  });

  addPath(router, '/api/embeddings', {
    post: async (req, res) => {
      const { model, prompt } = parseOllamaBody(
        ollamaEmbeddingsBody,
        await readJsonOfAnyType(req, bodyLimits),
      );
      assertServedModel(model, config);
      if (prompt === undefined || prompt === '') {
        sendJsonText(res, 200, '{"embedding":[]}');
        return;
      }
      const { outcomes, vectors } = await embed(req, res, [prompt]);
      assertAllEmbedded([prompt], outcomes, true);
      sendJsonText(res, 200, `{"embedding":${vectorJson(vectors, 'float')}}`);
    },
  });
  return router;
}

/** Fails the whole call, as Ollama does. @throws {OllamaError} for the first text without a usable vector */
function assertAllEmbedded(texts: readonly string[], outcomes: RowOutcome[], mayTruncate: boolean): void {
  const found = firstFault({ outcomes }, mayTruncate, texts);
  if (found !== null) throw ollamaTextError(found.index, found.fault);
}

function ollamaTextError(index: number, fault: TextFault): OllamaError {
  switch (fault.kind) {
    case 'empty':
      return new OllamaError(
        400,
        `input ${index} contains nothing to embed${fault.message === undefined ? '' : `: ${fault.message}`}`,
      );
    case 'too-long':
      return new OllamaError(400, 'the input length exceeds the context length');
    // `bad-tokens` cannot occur: Ollama accepts texts only.
    case 'bad-tokens':
    case 'failed':
      return new OllamaError(500, `input ${index} could not be embedded: ${fault.message}`);
  }
}

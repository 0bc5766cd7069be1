/** POST /v1/embed: embeds texts immediately, through the interactive lane. */

import { hasVector, rowView, treatmentOf, type VectorEncoding } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { Router } from 'express';
import { workerModelOf } from '../compatible/models.ts';
import { reserveAnswer } from '../compatible/reserve-answer.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { deadlineOf } from '../http/deadline.ts';
import { sendJsonText } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { embedBody } from './schemas.ts';

/** `/v1/embed`. */
export function embedRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/embed', {
    post: async (req, res) => {
      const deadline = deadlineOf(req, res);
      const body = checkInput(embedBody, 'body', await readJsonBody(req, bodyLimits));
      const { text, texts = [text ?? ''], model, precision, truncate, chunkSpans, encoding } = body;
      const run = body.glossaryOf === undefined ? undefined : service.runs().get(body.glossaryOf);
      await run?.offerGlossary();
      await reserveAnswer(req, texts.length);
      const answer = await service.lane().embed(texts, {
        precision,
        truncate,
        treatment: treatmentOf({ ...body, glossary: run?.options.glossary ?? null }),
        chunkSpans,
        ...deadline,
        ...(model === undefined ? {} : { model: workerModelOf(model, config) }),
      });
      sendJsonText(res, 200, embeddingJson(answer, encoding));
    },
  });
  return router;
}

/** The answer as JSON, with each float written as short as possible, which `JSON.stringify` does not do. */
function embeddingJson(
  { dim, fingerprint, outcomes, vectors, timings }: EmbedAnswer,
  encoding: VectorEncoding,
): string {
  const usage = { tokens: 0, lostTokens: 0 };
  const written = outcomes.map(({ verdict, tokens, lostTokens }, row) => {
    usage.tokens += tokens;
    usage.lostTokens += lostTokens;
    return hasVector(verdict) ? vectorJson(rowView(vectors, dim, row), encoding) : 'null';
  });
  const head = JSON.stringify({ fingerprint, dim, outcomes, usage, timings });
  return `${head.slice(0, -1)},"vectors":[${written.join(',')}]}`;
}

/** POST /v1/embed: texts in, vectors out, at once; the native form of the interactive lane. */

import { hasVector, rowView, treatmentOf, type VectorEncoding } from '@embedmill/contract';
import { vectorJson } from '@embedmill/core/formats';
import type { EmbedAnswer } from '@embedmill/core/redis';
import { Router } from 'express';
import { whenGone } from '../http/abort-on-disconnect.ts';
import { readJsonBody } from '../http/body.ts';
import { addPath } from '../http/methods.ts';
import { parse } from '../http/parse.ts';
import { sendJsonText } from '../http/send.ts';
import type { RouteParts } from '../http/types.ts';
import { deadlineHeaders, embedBody } from './schemas.ts';

export function embedRoutes({ service, limits }: RouteParts): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };

  addPath(router, '/v1/embed', {
    post: async (req, res) => {
      const signal = whenGone(res);
      const { 'request-timeout-ms': timeoutMs } = parse(deadlineHeaders, 'headers', req.headers);
      const body = parse(embedBody, 'body', await readJsonBody(req, bodyLimits));
      const { text, texts = [text ?? ''], model, precision, truncate, chunkSpans, encoding } = body;
      const run = body.glossaryOf === undefined ? undefined : service.runs().get(body.glossaryOf);
      await run?.offerGlossary();
      const terms = {
        precision,
        truncate,
        treatment: treatmentOf({ ...body, glossary: run?.options.glossary ?? null }),
        chunkSpans,
        timeoutMs,
        signal,
        ...(model === undefined ? {} : { model }),
      };
      sendJsonText(res, 200, answerJson(await service.lane().embed(texts, terms), encoding));
    },
  });
  return router;
}

/** The answer as JSON; floats are written as short as they can be, which `JSON.stringify` does not do. */
function answerJson(
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

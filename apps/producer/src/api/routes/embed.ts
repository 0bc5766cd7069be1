/** POST /v1/embed: texts in, vectors out, at once; the native form of the interactive lane. */

import { type EmbedAnswer, treatmentOf, type VectorEncoding, vectorJson } from '@embedmill/core';
import { Router } from 'express';
import { readJsonBody } from '../body.ts';
import { whenGone } from '../gone.ts';
import { addPath } from '../methods.ts';
import { parse } from '../parse.ts';
import { deadlineHeaders, embedBody } from '../schemas.ts';
import { sendJsonText } from '../send.ts';
import type { RouteParts } from '../types.ts';

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
    const hasVector = verdict === 'ok' || verdict === 'truncated';
    return hasVector ? vectorJson(vectors.subarray(row * dim, (row + 1) * dim), encoding) : 'null';
  });
  const head = JSON.stringify({ fingerprint, dim, outcomes, usage, timings });
  return `${head.slice(0, -1)},"vectors":[${written.join(',')}]}`;
}

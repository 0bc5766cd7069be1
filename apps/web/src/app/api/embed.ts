/**
 * Texts in, vectors out, through the interactive lane; the pages Similarity, Search, Threshold and New run
 * use it.
 */

import type { CleanStep, Precision, RowOutcome, Truncate } from '@embedmill/contract';
import { ask } from './client.ts';

/** How texts are embedded. */
export interface EmbedTextsOptions {
  precision?: Precision;
  truncate?: Truncate;
  /** Steps of cleaning; docs/treatment.md says what each does. */
  clean?: readonly CleanStep[];
}

/** The answer, in the order of the texts; a text without a vector has `null`. */
export interface EmbeddedReply {
  vectors: (Float32Array | null)[];
  outcomes: RowOutcome[];
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Throws as `ask`. */
export async function embedTexts(
  texts: readonly string[],
  options: EmbedTextsOptions = {},
  signal?: AbortSignal,
): Promise<EmbeddedReply> {
  const answer = await ask<Omit<EmbeddedReply, 'vectors'> & { vectors: (number[] | null)[] }>('v1/embed', {
    method: 'POST',
    json: { texts, ...options },
    ...(signal === undefined ? {} : { signal }),
  });
  const vectors = answer.vectors.map((vector) => (vector === null ? null : Float32Array.from(vector)));
  return { ...answer, vectors };
}

/** Cosine of two vectors of length 1; `null` where one is missing. */
export function cosine(
  a: Float32Array | null | undefined,
  b: Float32Array | null | undefined,
): number | null {
  if (a == null || b == null) return null;
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

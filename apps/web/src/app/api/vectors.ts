/** Vectors of a few texts through the interactive lane, and their cosine. */

import type { CleanStep, InputType, Precision, RowOutcome, Truncate } from '@embedmill/contract';
import { requestJson } from './client.ts';

/** How the texts are embedded. */
export interface RequestVectorsOptions {
  precision?: Precision;
  truncate?: Truncate;
  /** Cleaning steps; docs/treatment.md describes each. */
  clean?: readonly CleanStep[];
  /** Name of the model. Default: that of the producer. */
  model?: string;
  inputType?: InputType;
}

/** Vectors of length 1 and outcomes, in the order of the texts. */
export interface VectorsReply {
  /** `null` for a text without a vector. */
  vectors: (Float32Array | null)[];
  outcomes: RowOutcome[];
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Embeds texts now, ahead of all runs. Throws like `request`. */
export async function requestVectors(
  texts: readonly string[],
  options: RequestVectorsOptions = {},
  signal?: AbortSignal,
): Promise<VectorsReply> {
  const reply = await requestJson<Omit<VectorsReply, 'vectors'> & { vectors: (number[] | null)[] }>(
    'v1/embed',
    {
      method: 'POST',
      json: { texts, ...options },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const vectors = reply.vectors.map((vector) => (vector === null ? null : Float32Array.from(vector)));
  return { ...reply, vectors };
}

/** Cosine of two vectors of length 1; `null` if one is missing. */
export function cosine(
  a: Float32Array | null | undefined,
  b: Float32Array | null | undefined,
): number | null {
  if (a == null || b == null) return null;
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Serves the rows of a batch that the cache knows and has only the others embedded; `batch-work.ts` calls it where there is a cache. */

import type { RowOutcome } from '@embedmill/contract';
import { rowView } from '@embedmill/contract';
import {
  decodeBatchResult,
  encodeBatchPayload,
  encodeBatchResult,
  readBatchPayload,
} from '@embedmill/core/batch';
import type { CachedVector, CacheOptions, VectorCache } from '@embedmill/core/redis';

/** What serving works with. */
export interface CachedRowsDeps {
  cache: VectorCache;
  terms: CacheOptions;
  /** Embeds a payload, which is taken over. */
  embed: (payload: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  /** Told how many rows the cache knew. */
  onServed: (rows: number) => void;
  /** Told about a cache that does not answer; the batch does without it. */
  onFault: (error: unknown) => void;
}

/** `encodeBatchResult` bytes of the whole batch: the same, whether or not the cache knew a row. */
export async function embedThroughCache(
  payload: Uint8Array<ArrayBuffer>,
  { cache, terms, embed, onServed, onFault }: CachedRowsDeps,
): Promise<Uint8Array<ArrayBuffer>> {
  const { rows, text } = readBatchPayload(payload);
  const texts = Array.from({ length: rows }, (_, row) => text(row));
  const known = await cache.find(texts, terms).catch((error: unknown) => {
    onFault(error);
    return texts.map(() => null);
  });
  const missing = known.flatMap((found, row) => (found === null ? [row] : []));
  onServed(rows - missing.length);
  const isUnknown = missing.length === rows;
  const missingTexts = missing.map((row) => texts[row]!);
  const result = await embed(isUnknown ? payload : encodeBatchPayload(missingTexts));
  const computed = decodeBatchResult(result);
  const { dim } = computed;
  const fresh = computed.outcomes.map(
    (outcome, i): CachedVector => ({
      outcome,
      vector: rowView(computed.vectors, dim, i),
    }),
  );
  await cache.keep(missingTexts, fresh, terms).catch(onFault);
  if (isUnknown) return result;

  const vectors = new Float32Array(rows * dim);
  const outcomes: RowOutcome[] = [];
  const whole: (CachedVector | null)[] = [...known];
  for (const [i, row] of missing.entries()) whole[row] = fresh[i]!;
  for (const [row, found] of whole.entries()) {
    vectors.set(found!.vector, row * dim);
    outcomes.push(found!.outcome);
  }
  return encodeBatchResult({ ...computed, rows, vectors, outcomes });
}

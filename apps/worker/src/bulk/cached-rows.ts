/** Takes the rows of a batch from the vector cache and embeds only the others; `batch-work.ts` calls it. */

import { type RowOutcome, rowView } from '@embedmill/contract';
import {
  decodeBatchResult,
  encodeBatchPayload,
  encodeBatchResult,
  readBatchPayload,
} from '@embedmill/core/batch';
import type { CachedVector, CacheOptions, VectorCache } from '@embedmill/core/redis';

/** Dependencies of `embedThroughCache`. */
export interface CachedRowsDeps {
  cache: VectorCache;
  terms: CacheOptions;
  /** Embeds a payload; takes ownership of its buffer. */
  embed: (payload: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  /** Called with the number of rows that the cache had. */
  onServed: (rows: number) => void;
  /** Called when the cache is unavailable; the batch is embedded without it. */
  onFault: (error: unknown) => void;
}

/**
 * Returns `encodeBatchResult` bytes of the whole batch: the same bytes, whether or not the cache had a row.
 */
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

/** The port to a vector cache; a worker looks texts up in it before it computes a batch. */

import type { RowOutcome, Treatment, Truncate } from '@embedmill/contract';

/** Everything that determines a vector besides the text. */
export interface CacheOptions {
  /** Fingerprint of the model. */
  model: string;
  truncate: Truncate;
  treatment: Treatment;
}

/** A vector and the outcome of its row. */
export interface CachedVector {
  outcome: RowOutcome;
  vector: Float32Array;
}

/** A bounded cache that evicts the least recently used vectors. */
export interface VectorCache {
  /** Vectors in the order of `texts`, `null` for each that is not cached. */
  find(texts: readonly string[], options: CacheOptions): Promise<(CachedVector | null)[]>;
  /** Adds the vectors of `texts`; rows without a vector are skipped. */
  keep(texts: readonly string[], vectors: readonly CachedVector[], options: CacheOptions): Promise<void>;
}

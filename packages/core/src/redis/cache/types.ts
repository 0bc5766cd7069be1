/** The port to a cache of vectors over runs and workers; a worker asks it before it computes a batch. */

import type { RowOutcome, Treatment, Truncate } from '@embedmill/contract';

/** All that decides the vector of a text besides the text. */
export interface CacheTerms {
  /** Fingerprint of the model. */
  model: string;
  truncate: Truncate;
  treatment: Treatment;
}

/** A vector and what is said about it. */
export interface CachedVector {
  outcome: RowOutcome;
  vector: Float32Array;
}

/** Keeps the vectors that were asked for last, within a bound. */
export interface VectorCache {
  /** The vectors of these texts, `null` for each that is not known. */
  find(texts: readonly string[], terms: CacheTerms): Promise<(CachedVector | null)[]>;
  /** Keeps vectors; rows without one are left out. */
  keep(texts: readonly string[], vectors: readonly CachedVector[], terms: CacheTerms): Promise<void>;
}

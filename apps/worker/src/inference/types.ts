/** What goes into the pool and what comes out of it. */

import type { Precision, RowOutcome, Truncate } from '@embedmill/core/batch';

/** One bulk batch. */
export interface BatchRequest {
  /** `encodeBatchPayload` bytes. Taken over: the caller's view is empty as soon as `embedBatch` was called. */
  payload: Uint8Array<ArrayBuffer>;
  /** Batch number in its run, for the header of the result. */
  batch: number;
  precision: Precision;
  truncate: Truncate;
}

/** How interactive texts are embedded. */
export interface EmbedTextsOptions {
  precision: Precision;
  truncate: Truncate;
  /** Gives up waiting; texts that are not in an engine yet are not embedded. */
  signal?: AbortSignal;
}

/** Interactive texts, embedded. */
export interface EmbeddedTexts {
  /** texts × dim, zeros where a text has no vector; empty without texts. */
  vectors: Float32Array;
  outcomes: RowOutcome[];
}

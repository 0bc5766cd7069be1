/** The port to vector stores: PostgreSQL, Qdrant and LanceDB; see docs/decisions/0104. */

import type { Column } from '@embedmill/core/formats';

/** The rows of one request, all with a vector. */
export interface StoreBatch {
  readonly ids: readonly string[];
  /** One per id, of Euclidean length 1. */
  readonly vectors: readonly Float32Array[];
  /** One array per id: its values of {@link StoreRequest.columns}, if there are any. */
  readonly values?: readonly (readonly unknown[])[];
}

/** A store opened for vectors of one dimension. */
export interface VectorStore {
  /** Name for messages, without a password. */
  readonly name: string;
  /**
   * Inserts rows or replaces those with the same ids. Idempotent. They are stored when {@link finish}
   * resolves.
   */
  upsert(batch: StoreBatch): Promise<void>;
  /** Stores the remaining rows and builds the index. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** How to open a store. */
export interface StoreRequest {
  /** `file:` for a LanceDB folder, which is the table itself. */
  url: URL;
  /** Name of the table or collection; unused by LanceDB. */
  table: string;
  /** Floats per vector. */
  dim: number;
  /** Columns of the rows; stored by LanceDB only. Default: none. */
  columns?: readonly Column[];
  /** Receives what the store cannot hold of them, in a sentence. */
  onNote?: (text: string) => void;
  signal: AbortSignal;
}

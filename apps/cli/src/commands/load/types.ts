/** What `embedmill load` brings vectors into: one port, a store behind each kind of URL. */

/** Rows of one request, all with a vector. */
export interface StoreBatch {
  readonly ids: readonly string[];
  /** One per id, of length 1. */
  readonly vectors: readonly Float32Array[];
}

/** A database that was opened for vectors of one dimension. */
export interface VectorStore {
  /** Where the rows go, as messages name it; without a password. */
  readonly name: string;
  /**
   * Takes the rows; those whose id is there already are replaced, so that the same call again changes nothing. They are
   * stored at the latest when {@link finish} resolves.
   */
  upsert(batch: StoreBatch): Promise<void>;
  /** Called when all rows are written: builds what searches need. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** What a store is opened with. */
export interface StoreRequest {
  /** `file:` for a folder of LanceDB, which is the table itself. */
  url: URL;
  /** Table or collection; a folder of LanceDB has its own. */
  table: string;
  /** Floats per vector. */
  dim: number;
  signal: AbortSignal;
}

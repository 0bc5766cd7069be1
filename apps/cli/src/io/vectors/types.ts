/** A file of finished vectors as the commands that work on one see it. */

import type { VectorRows } from '@embedmill/contract';

/** Vectors on disk, read as often as somebody asks. */
export interface VectorFile {
  /** As messages name it. */
  readonly name: string;
  /** Rows of the whole file; `null` while it has not been read (.jsonl). */
  readonly rows: number | null;
  /** Floats per vector, where the file says so before its rows. */
  readonly dim?: number;
  /** The rows in order, in slices of a few megabytes; vectors have length 1, zeros where a row has none. */
  read(): AsyncIterable<VectorRows>;
}

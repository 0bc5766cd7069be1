/** The port to vector files. */

import type { VectorRows } from '@embedmill/contract';
import type { StoredColumns } from './columns.ts';

/** Options of reading vectors. */
export interface VectorReadOptions {
  /** Whether vectors keep their stored numbers, whatever their length. Default false. */
  readonly asStored?: boolean;
}

/** Vectors on disk. */
export interface VectorFile {
  /** Name for messages. */
  readonly name: string;
  /** Total rows; `null` if the file does not state them (.jsonl). */
  readonly rows: number | null;
  /** Numbers per vector, if the file states them before its rows. */
  readonly dim?: number;
  /**
   * The rows in order, in slices of a few megabytes. Vectors have length 1 unless read as stored, or are zeros. Can be called
   * repeatedly.
   */
  read(options?: VectorReadOptions): AsyncIterable<VectorRows>;
  /**
   * The columns of the same rows, in slices of any length. Can be called repeatedly.
   * @param only names of the columns to read; lines are read whole. Default: all
   */
  readColumns(only?: readonly string[]): AsyncIterable<StoredColumns>;
}

/** The interface of the output formats, and their options. */

import type { Dtype, FormatName, VectorEncoding, VectorRows } from '@embedmill/contract';
import type { Column, ColumnValues } from '../tables/types.ts';

/** The size of a whole output. */
export interface OutputShape {
  /** `null` if it is known only after the last row; see {@link Format.head}. */
  readonly rows: number | null;
  /** Floats per vector. */
  readonly dim: number;
}

/** Vectors with the values of the input's columns, one array per column of {@link EncodeOptions.columns}. */
export interface OutputRows extends VectorRows {
  readonly columns?: ColumnValues;
}

/** Options of a format. */
export interface EncodeOptions {
  /**
   * How jsonl represents a vector: `float` as a list of decimals, `base64` as its little-endian bytes, less
   * than half as long. Default `float`. Ignored by the other formats.
   */
  readonly encoding?: VectorEncoding;
  /** Number type of the stored vectors. Default `float32`. */
  readonly dtype?: Dtype;
  /** Columns that follow the id; not stored by npy. Default: none. */
  readonly columns?: readonly Column[];
  /** What readers may need to know, such as the model: stored by parquet and arrow in their metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An output format. The same rows give the same bytes, however they are sliced. */
export interface Format {
  readonly name: FormatName;
  /** Value of the HTTP header Content-Type. */
  readonly contentType: string;
  /** File extension, with the dot. */
  readonly extension: string;
  /** First bytes of the output, in a format where they hold the number of rows; encoded as 0 if it is not known. */
  head?(shape: { rows: number; dim: number }, options?: EncodeOptions): Uint8Array;
  /**
   * Yields the bytes of the output in chunks of at most `MAX_CHUNK_BYTES`; reads rows only as chunks are
   * requested. Throws `wrong-shape` if a slice is inconsistent, or if there are more or fewer rows than in
   * `shape`.
   */
  encode(
    rows: AsyncIterable<OutputRows>,
    shape: OutputShape,
    options?: EncodeOptions,
  ): AsyncIterable<Uint8Array>;
}

/** What an encoder of vectors takes and gives; the CLI and the results route choose one by name. */

/** A slice of finished rows, in output order. Not changed by anyone once handed over: chunks may be views of it. */
export interface VectorRows {
  /** One id per row. */
  readonly ids: readonly string[];
  /** Floats per vector. */
  readonly dim: number;
  /** rows × dim, row by row; zeros where a row has no vector. */
  readonly vectors: Float32Array;
  /** Per row: 1 = has a vector, 0 = has none. */
  readonly present: Uint8Array;
}

/** The size of a whole output, known before its first byte. */
export interface OutputShape {
  readonly rows: number;
  /** Floats per vector. */
  readonly dim: number;
}

/**
 * What is kept of a float. `float16`: the nearest half, 3 decimal digits. `int8`: whole numbers from −127 to 127, to be
 * multiplied by the scale of their row.
 */
export type Dtype = 'float32' | 'float16' | 'int8';

/** Choices within a format. */
export interface EncodeOptions {
  /**
   * How jsonl writes a vector: `float` as a list of decimals, `base64` as its little-endian bytes, less than half as
   * long. Default `float`. The other formats have one way only and ignore it.
   */
  readonly encoding?: 'float' | 'base64';
  /** What is kept of each float. Default `float32`. */
  readonly dtype?: Dtype;
}

/** A format of output. The same rows give the same bytes, however they are sliced. */
export interface Encoding {
  readonly name: 'npy' | 'jsonl' | 'parquet' | 'arrow';
  /** For the HTTP header Content-Type. */
  readonly contentType: string;
  /** Of files, with the dot. */
  readonly extension: string;
  /**
   * The bytes of the output, in chunks of at most `maxChunkBytes`; rows are taken as chunks are asked for. Throws
   * `wrong-shape` when a slice is inconsistent or there are more or fewer rows than `shape` says.
   */
  encode(
    rows: AsyncIterable<VectorRows>,
    shape: OutputShape,
    options?: EncodeOptions,
  ): AsyncIterable<Uint8Array>;
}

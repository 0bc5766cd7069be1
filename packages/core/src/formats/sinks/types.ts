/** What an encoder of vectors takes and gives; the CLI and the results route choose one by name. */

import type { Dtype, FormatName, VectorEncoding, VectorRows } from '@embedmill/contract';

/** The size of a whole output, known before its first byte. */
export interface OutputShape {
  readonly rows: number;
  /** Floats per vector. */
  readonly dim: number;
}

/** Choices within a format. */
export interface EncodeOptions {
  /**
   * How jsonl writes a vector: `float` as a list of decimals, `base64` as its little-endian bytes, less than half as
   * long. Default `float`. The other formats have one way only and ignore it.
   */
  readonly encoding?: VectorEncoding;
  /** What is kept of each float. Default `float32`. */
  readonly dtype?: Dtype;
}

/** A format of output. The same rows give the same bytes, however they are sliced. */
export interface Format {
  readonly name: FormatName;
  /** For the HTTP header Content-Type. */
  readonly contentType: string;
  /** Of files, with the dot. */
  readonly extension: string;
  /**
   * The bytes of the output, in chunks of at most `MAX_CHUNK_BYTES`; rows are taken as chunks are asked for. Throws
   * `wrong-shape` when a slice is inconsistent or there are more or fewer rows than `shape` says.
   */
  encode(
    rows: AsyncIterable<VectorRows>,
    shape: OutputShape,
    options?: EncodeOptions,
  ): AsyncIterable<Uint8Array>;
}

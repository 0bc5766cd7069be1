/** Vectors: what comes out, and the formats that hold it. */

/** File formats of results. */
export type FormatName = 'npy' | 'jsonl' | 'parquet' | 'arrow';

/**
 * How JSON represents a vector: a list of decimals, or base64 of its little-endian bytes (less than half as
 * long).
 */
export type VectorEncoding = 'float' | 'base64';

/**
 * Number type of stored vectors. `float16`: the nearest half, 3 decimal digits. `int8`: integers from −127 to 127,
 * to be multiplied by the scale of their row.
 */
export type Dtype = 'float32' | 'float16' | 'int8';

/** A slice of finished rows, in output order. Immutable once passed on: chunks may be views of it. */
export interface VectorRows {
  /** One id per row. */
  readonly ids: readonly string[];
  /** Floats per vector. */
  readonly dim: number;
  /** rows × dim, row by row; zeros for a row without a vector. */
  readonly vectors: Float32Array;
  /** Per row: 1 if it has a vector, else 0. */
  readonly present: Uint8Array;
}

/** A view of row `row` in an array of rows × `dim` numbers. */
export function rowView(vectors: Float32Array, dim: number, row: number): Float32Array {
  return vectors.subarray(row * dim, (row + 1) * dim);
}

/**
 * The first `dimensions` floats, renormalized to length 1 in double precision. Without a reduction it is the
 * vector itself, so that its bytes equal those of a bulk run.
 */
export function shorten(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const kept = vector.subarray(0, dimensions);
  let squares = 0;
  for (const value of kept) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? kept : kept.map((value) => value / length);
}

/** Makes the slices that the readers give out: vectors of length 1, and a mark for each row that has one. */

import type { VectorRows } from '@embedmill/contract';

/** Bytes of vectors in a slice: what a reader holds at a time. */
const SLICE_BYTES = 8 * 1024 * 1024;

/** A length this near to 1 is rounding, and the vector stays as it is. */
const LENGTH_TOLERANCE = 1e-4;

/** Rows of `dim` floats that go into one slice. */
export function rowsPerSlice(dim: number): number {
  return Math.max(1, Math.floor(SLICE_BYTES / (dim * 4)));
}

/**
 * The slice that holds these vectors. Scales them to length 1 in place, for files that another program wrote and for numbers of
 * int8, whose scales no reader needs; a row of zeros, or with a float that is no number, has no vector.
 */
export function makeSlice(ids: readonly string[], dim: number, vectors: Float32Array): VectorRows {
  const present = new Uint8Array(ids.length);
  for (let row = 0; row < ids.length; row++) {
    const start = row * dim;
    let squares = 0;
    for (let i = 0; i < dim; i++) squares += vectors[start + i]! * vectors[start + i]!;
    const length = Math.sqrt(squares);
    if (!(length > 0 && length < Number.POSITIVE_INFINITY)) {
      vectors.fill(0, start, start + dim);
      continue;
    }
    present[row] = 1;
    if (Math.abs(length - 1) < LENGTH_TOLERANCE) continue;
    for (let i = 0; i < dim; i++) vectors[start + i]! /= length;
  }
  return { ids, dim, vectors, present };
}

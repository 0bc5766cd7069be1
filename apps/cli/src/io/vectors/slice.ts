/** Builds the slices that readers yield: normalized vectors, and a mark for each row with a vector. */

import type { VectorRows } from '@embedmill/contract';
import type { VectorReadOptions } from './types.ts';

/** Bytes of vectors per slice, which bounds the memory of a reader. */
const SLICE_BYTES = 8 * 1024 * 1024;

/** A length this close to 1 is due to rounding; the vector is left unchanged. */
const LENGTH_TOLERANCE = 1e-4;

/** Rows of `dim` floats per slice. */
export function rowsPerSlice(dim: number): number {
  return Math.max(1, Math.floor(SLICE_BYTES / (dim * 4)));
}

/**
 * Builds a slice, and unless `asStored` normalizes its vectors in place: files of other programs and int8 without scales may
 * have any length. A row of zeros, or with a NaN or infinity, has no vector.
 */
export function makeSlice(
  ids: readonly string[],
  dim: number,
  vectors: Float32Array,
  { asStored = false }: VectorReadOptions = {},
): VectorRows {
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
    if (asStored || Math.abs(length - 1) < LENGTH_TOLERANCE) continue;
    for (let i = 0; i < dim; i++) vectors[start + i]! /= length;
  }
  return { ids, dim, vectors, present };
}

/** Pools the output of a model into one vector of length 1, for models whose graph does not pool. */

import type { Pooling } from '../types.ts';

/** Writes `dim` floats at `offset`. Returns false and writes zeros if the vector is zero or not finite. */
export function poolInto(
  target: Float32Array,
  offset: number,
  dim: number,
  output: Float32Array,
  pooling: Pooling,
): boolean {
  const vector = target.subarray(offset, offset + dim);
  if (pooling === 'mean') addTokens(vector, output);
  else vector.set(output.subarray(0, dim));
  return normalize(vector);
}

/**
 * Sums the token vectors: the sum has the direction of the mean, and normalization keeps only the direction.
 */
function addTokens(vector: Float32Array, output: Float32Array): void {
  vector.fill(0);
  for (let at = 0; at < output.length; at += vector.length) {
    for (let i = 0; i < vector.length; i++) vector[i]! += output[at + i]!;
  }
}

function normalize(vector: Float32Array): boolean {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length > 0 && length < Number.POSITIVE_INFINITY)) {
    vector.fill(0);
    return false;
  }
  // A vector that the graph has already normalized keeps its bits.
  if (Math.abs(length - 1) > 1e-5) for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return true;
}

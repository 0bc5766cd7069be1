/** Makes vectors in separate groups. */

import { type Matrix, randomFrom } from '@embedmill/analysis';

/** Rows of length 1: `directions` axes in turn, each off its axis by at most `spread` a float. */
export function bunches(directions: number, rows: number, dim: number, spread: number, seed = 3): Matrix {
  const random = randomFrom(seed);
  const vectors = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim);
    vector[row % directions] = 1;
    for (let i = 0; i < dim; i++) vector[i]! += (random.next() - 0.5) * spread;
    const length = Math.hypot(...vector);
    for (let i = 0; i < dim; i++) vector[i]! /= length;
  }
  return { rows, dim, vectors };
}

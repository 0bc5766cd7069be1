/** Arithmetic on rows of vectors. */

import type { Matrix } from './types.ts';

/**
 * Dot product of a row with the vector at `offset` of `others`; uses four sums, because each addition has to
 * wait for the previous one.
 */
export function dotOf({ vectors, dim }: Matrix, row: number, others: Float32Array, offset: number): number {
  const start = row * dim;
  const whole = dim - (dim % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const at = start + i;
    const to = offset + i;
    a += vectors[at]! * others[to]!;
    b += vectors[at + 1]! * others[to + 1]!;
    c += vectors[at + 2]! * others[to + 2]!;
    d += vectors[at + 3]! * others[to + 3]!;
  }
  for (let i = whole; i < dim; i++) a += vectors[start + i]! * others[offset + i]!;
  return a + b + (c + d);
}

/** Returns one row as a view. */
export function rowOf({ vectors, dim }: Matrix, row: number): Float32Array {
  return vectors.subarray(row * dim, (row + 1) * dim);
}

/** Copies the rows with these numbers. */
export function pickRows(matrix: Matrix, numbers: ArrayLike<number>): Matrix {
  const { dim } = matrix;
  const vectors = new Float32Array(numbers.length * dim);
  for (let n = 0; n < numbers.length; n++) vectors.set(rowOf(matrix, numbers[n]!), n * dim);
  return { rows: numbers.length, dim, vectors };
}

/** Scales a vector to length 1 in place; leaves a zero vector unchanged and returns false. */
export function normalize(vector: Float32Array): boolean {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  if (squares === 0) return false;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
  return true;
}

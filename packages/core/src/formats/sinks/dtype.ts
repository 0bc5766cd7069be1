/** Converts floats to the number types of result files: halves, and 8-bit integers with a scale per row. */

import { type Dtype, halvesOf } from '@embedmill/contract';

/** Size of one number in bytes. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { float32: 4, float16: 2, int8: 1 };

/** The scale of each row of int8: its maximum absolute value / 127; 0 for a row of zeros. */
export function scalesOf(floats: Float32Array, dim: number): Float32Array {
  return Float32Array.from({ length: floats.length / dim }, (_, row) => largestOf(floats, row, dim) / 127);
}

/** Rows as integers from −127 to 127; the largest absolute value of each row becomes 127. */
export function int8Of(floats: Float32Array, dim: number): Int8Array {
  const numbers = new Int8Array(floats.length);
  for (let row = 0; row < floats.length / dim; row++) {
    const largest = largestOf(floats, row, dim);
    if (largest === 0) continue;
    for (let n = row * dim; n < (row + 1) * dim; n++) numbers[n] = Math.round((floats[n]! * 127) / largest);
  }
  return numbers;
}

function largestOf(floats: Float32Array, row: number, dim: number): number {
  let largest = 0;
  for (let n = row * dim; n < (row + 1) * dim; n++) largest = Math.max(largest, Math.abs(floats[n]!));
  return largest;
}

/** The numbers of rows × `dim` floats as a file of this dtype stores them. */
export function numbersOf(
  floats: Float32Array,
  dim: number,
  dtype: Dtype,
): Float32Array | Uint16Array | Int8Array {
  if (dtype === 'float32') return floats;
  return dtype === 'float16' ? halvesOf(floats) : int8Of(floats, dim);
}

/** Makes floats smaller and back: halves, and 8-bit numbers with a scale; the encoders and the readers of files call it. */

import type { Dtype } from '@embedmill/contract';

/** Bytes of one number. */
export const dtypeBytes: Readonly<Record<Dtype, number>> = { float32: 4, float16: 2, int8: 1 };

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The halves (IEEE 754 binary16) nearest to these floats, ties to even, as their bits. */
export function halvesOf(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let n = 0; n < floats.length; n++) halves[n] = halfOf(floats[n]!);
  return halves;
}

/** The float that each of the 65 536 halves is, by its bits; made when the first is asked for. */
let halves: Float32Array | null = null;

/** The floats that these halves (IEEE 754 binary16) are, given as their bits. Every half is a float32 exactly. */
export function floatsOfHalves(given: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 0x10000 }, (_, half) => floatOf(half));
  const floats = new Float32Array(given.length);
  for (let n = 0; n < given.length; n++) floats[n] = halves[given[n]!]!;
  return floats;
}

function floatOf(half: number): number {
  const sign = half < 0x8000 ? 1 : -1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // Halfway between the largest half, 65 504, and the next that there would be.
  if (size >= 65_520) return sign | 0x7c00;
  // Below the least normal half: multiples of 2^-24, to which adding rounds, as 2^-24 · 2^23 = 0.5.
  if (size < 2 ** -14) {
    float[0] = size + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  float[0] = size;
  // 13 bits of the mantissa go; adding half of the last one that stays, less one where it is even, rounds to even.
  const rounded = bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** What the 8-bit numbers of each row are to be multiplied by: its largest size / 127, 0 for a row of zeros. */
export function scalesOf(floats: Float32Array, dim: number): Float32Array {
  return Float32Array.from({ length: floats.length / dim }, (_, row) => largestOf(floats, row, dim) / 127);
}

/** Rows as whole numbers from −127 to 127, the largest of each row being one of these two. */
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

/** The numbers of these rows as they lie in a file of a dtype. */
export function numbersOf(
  floats: Float32Array,
  dim: number,
  dtype: Dtype,
): Float32Array | Uint16Array | Int8Array {
  if (dtype === 'float32') return floats;
  return dtype === 'float16' ? halvesOf(floats) : int8Of(floats, dim);
}

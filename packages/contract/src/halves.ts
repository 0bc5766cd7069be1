/**
 * Conversion between float32 and half-precision numbers (IEEE 754 binary16), for result files and model
 * weights.
 */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The value of each of the 65,536 halves, by its bits; built on first use. */
let valuesByBits: Float32Array | null = null;

/** Rounds floats to the nearest halves, ties to even; returns the bits of the halves. */
export function halvesOf(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let n = 0; n < floats.length; n++) halves[n] = halfOf(floats[n]!);
  return halves;
}

/** The values of halves, given as their bits. Exact: float32 represents every half. */
export function floatsOfHalves(halves: Uint16Array): Float32Array {
  valuesByBits ??= Float32Array.from({ length: 0x10000 }, (_, bits) => floatOf(bits));
  const floats = new Float32Array(halves.length);
  // A loop and a table, because Float32Array.from takes two seconds for the 22 million weights of a model.
  for (let n = 0; n < halves.length; n++) floats[n] = valuesByBits[halves[n]!]!;
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
  // Halfway between the largest half, 65,504, and the value that would follow it.
  if (size >= 65_520) return sign | 0x7c00;
  // Below the smallest normal half: multiples of 2^-24, to which adding 0.5 rounds, because 2^-24 · 2^23 =
  // 0.5.
  if (size < 2 ** -14) {
    scratch[0] = size + 0.5;
    return sign | (scratchBits[0]! - 0x3f000000);
  }
  scratch[0] = size;
  // 13 bits of the mantissa are dropped; adding half of the last bit kept, minus one if that is even, rounds
  // to even.
  const rounded = scratchBits[0]! + 0xfff + ((scratchBits[0]! >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

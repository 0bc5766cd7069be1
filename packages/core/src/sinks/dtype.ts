/** Makes floats smaller: halves, and 8-bit numbers with a scale; the Arrow encoder calls it. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The halves (IEEE 754 binary16) nearest to these floats, ties to even, as their bits. */
export function halvesOf(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let n = 0; n < floats.length; n++) halves[n] = halfOf(floats[n]!);
  return halves;
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

/** Rows as whole numbers from −127 to 127, each with the scale that its row is to be multiplied by; 0 for a row of zeros. */
export function bytesWithScales(
  floats: Float32Array,
  dim: number,
): { bytes: Int8Array; scales: Float32Array } {
  const bytes = new Int8Array(floats.length);
  const scales = new Float32Array(floats.length / dim);
  for (let row = 0; row < scales.length; row++) {
    const vector = floats.subarray(row * dim, (row + 1) * dim);
    let largest = 0;
    for (const value of vector) largest = Math.max(largest, Math.abs(value));
    scales[row] = largest / 127;
    if (largest === 0) continue;
    for (let i = 0; i < dim; i++) bytes[row * dim + i] = Math.round((vector[i]! * 127) / largest);
  }
  return { bytes, scales };
}

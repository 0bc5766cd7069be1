/** Writes a vector as JSON: a list of decimals or base64. */

import { type Dtype, floatsOfHalves, halvesOf, type VectorEncoding } from '@embedmill/contract';
import { bytesOf } from './chunks.ts';
import { int8Of, scalesOf } from './dtype.ts';
import { MAX_FLOAT_CHARS, writeFloat32 } from './float-text.ts';

/** Writes the text of a vector at position `at` and returns the position after it. */
export type WriteVector = (out: Buffer, at: number, vector: Float32Array) => number;

/** Upper bound for the JSON fields `dtype` and `scale` after the vector, in bytes. */
const TAIL_BYTES = 64;

/** Maximum length of the text of a vector, in bytes. */
export function vectorTextBytes(dim: number, encoding: VectorEncoding): number {
  return (encoding === 'float' ? dim * (MAX_FLOAT_CHARS + 1) + 2 : dim * 6 + 4) + TAIL_BYTES;
}

/** The writer for a dtype; it also writes the JSON fields `dtype` and `scale` if a reader needs them. */
export function writerOf(encoding: VectorEncoding, dtype: Dtype): WriteVector {
  return WRITERS[dtype][encoding];
}

const WRITERS: Readonly<Record<Dtype, Readonly<Record<VectorEncoding, WriteVector>>>> = {
  float32: { float: writeFloats, base64: (out, at, vector) => writeBase64(out, at, vector) },
  float16: {
    float: (out, at, vector) => writeList(out, at, Array.from(halvesOf(vector), halfText)),
    base64: (out, at, vector) => writeText(out, writeBase64(out, at, halvesOf(vector)), ',"dtype":"float16"'),
  },
  int8: {
    float: (out, at, vector) => writeScale(out, writeList(out, at, int8Of(vector, vector.length)), vector),
    base64: (out, at, vector) => {
      const end = writeBase64(out, at, int8Of(vector, vector.length));
      return writeScale(out, writeText(out, end, ',"dtype":"int8"'), vector);
    },
  },
};

/** A vector as JSON text. */
export function vectorJson(vector: Float32Array, encoding: VectorEncoding): string {
  const out = Buffer.allocUnsafe(vectorTextBytes(vector.length, encoding));
  return out.toString('latin1', 0, writerOf(encoding, 'float32')(out, 0, vector));
}

/** Five digits distinguish any half from its neighbours: 11 bits of significand, 1 + ⌈11 · log10 2⌉. */
const MAX_HALF_DIGITS = 5;

/** Cache of the decimal texts of halves, by their bits; at most 65,536 entries. */
const halfTexts: string[] = [];

/**
 * The shortest decimal that reads back as the same half; NaN and infinities become `null`, as in
 * JSON.stringify.
 */
function halfText(half: number): string {
  halfTexts[half] ??= shortestHalf(half);
  return halfTexts[half];
}

function shortestHalf(half: number): string {
  const value = floatsOfHalves(Uint16Array.of(half))[0]!;
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let digits = 1; digits < MAX_HALF_DIGITS; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (halvesOf(Float32Array.of(rounded))[0] === half) return String(rounded);
  }
  return String(Number(value.toPrecision(MAX_HALF_DIGITS)));
}

function writeFloats(out: Buffer, start: number, vector: Float32Array): number {
  let at = start;
  out[at++] = 0x5b; // [
  for (let n = 0; n < vector.length; n++) {
    if (n > 0) out[at++] = 0x2c; // ,
    at = writeFloat32(out, at, vector[n]!);
  }
  out[at++] = 0x5d; // ]
  return at;
}

function writeBase64(out: Buffer, at: number, numbers: ArrayBufferView): number {
  const bytes = bytesOf(numbers);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return writeText(out, at, `"${text}"`);
}

function writeList(out: Buffer, at: number, numbers: ArrayLike<number | string>): number {
  return writeText(out, at, `[${Array.prototype.join.call(numbers, ',')}]`);
}

function writeScale(out: Buffer, at: number, vector: Float32Array): number {
  const end = writeText(out, at, ',"scale":');
  return writeFloat32(out, end, scalesOf(vector, vector.length)[0]!);
}

function writeText(out: Buffer, at: number, text: string): number {
  return at + out.write(text, at, 'latin1');
}

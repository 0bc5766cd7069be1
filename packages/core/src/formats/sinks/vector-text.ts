/** Writes a vector as JSON, as a list of numbers or as base64; the jsonl encoder and the interactive routes use it. */

import { type Dtype, halvesOf, type VectorEncoding } from '@embedmill/contract';
import { bytesOf } from './chunks.ts';
import { int8Of, scalesOf } from './dtype.ts';
import { MAX_FLOAT_CHARS, writeFloat32 } from './float-text.ts';
import { halfText } from './half-text.ts';

/** Writes the text of a vector at a position and returns the position behind it. */
export type WriteVector = (out: Buffer, at: number, vector: Float32Array) => number;

/** What a line says of the dtype behind its vector: its name and a scale. */
const TAIL_BYTES = 64;

/** Room that the text of a vector may need, in bytes. */
export function vectorTextBytes(dim: number, encoding: VectorEncoding): number {
  return (encoding === 'float' ? dim * (MAX_FLOAT_CHARS + 1) + 2 : dim * 6 + 4) + TAIL_BYTES;
}

/** What writes vectors of a dtype; behind the vector come the fields of JSON that a reader needs to understand it. */
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

/** Writes a vector as JSON, as a list of floats or as base64; the jsonl encoder and the interactive routes use it. */
import { bytesOf } from './chunks.ts';
import { maxFloatChars, writeFloat32 } from './float-text.ts';

/** `float`: a list of numbers. `base64`: a string of the little-endian float32 bytes. */
export type VectorEncoding = 'float' | 'base64';

/** Room that the text of a vector may need, in bytes. */
export function vectorTextBytes(dim: number, encoding: VectorEncoding): number {
  return encoding === 'float' ? dim * (maxFloatChars + 1) + 2 : dim * 6 + 4;
}

/** Write the text of a vector at a position and return the position behind it. */
export const writeVector: Readonly<
  Record<VectorEncoding, (out: Buffer, at: number, vector: Float32Array) => number>
> = { float: writeFloats, base64: writeBase64 };

/** A vector as JSON text. */
export function vectorJson(vector: Float32Array, encoding: VectorEncoding): string {
  const out = Buffer.allocUnsafe(vectorTextBytes(vector.length, encoding));
  return out.toString('latin1', 0, writeVector[encoding](out, 0, vector));
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

function writeBase64(out: Buffer, at: number, vector: Float32Array): number {
  const bytes = bytesOf(vector);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return at + out.write(`"${text}"`, at, 'latin1');
}

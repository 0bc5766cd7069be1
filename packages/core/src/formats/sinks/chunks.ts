/** Bounds the chunks that the encoders give out. */

/** Largest chunk of output, in bytes. */
export const MAX_CHUNK_BYTES = 1024 * 1024;

/** Views of `bytes` of at most `MAX_CHUNK_BYTES` each. */
export function* inChunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) yield bytes.subarray(at, at + MAX_CHUNK_BYTES);
}

/** The bytes of an array of numbers as they lie in memory, without a copy. */
export function bytesOf(numbers: ArrayBufferView): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

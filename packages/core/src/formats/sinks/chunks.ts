/** Limits the size of the chunks that the encoders yield. */

/** Maximum size of an output chunk, in bytes. */
export const MAX_CHUNK_BYTES = 1024 * 1024;

/** Views of `bytes` of at most `MAX_CHUNK_BYTES` each. */
export function* inChunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) yield bytes.subarray(at, at + MAX_CHUNK_BYTES);
}

/** The bytes of a typed array in memory order, as a view. */
export function bytesOf(numbers: ArrayBufferView): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

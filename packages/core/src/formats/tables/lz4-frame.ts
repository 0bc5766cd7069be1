/**
 * Unpacks LZ4 frames (LZ4 Frame Format 1.6), in which Feather files are packed by default. Written here because
 * Node has no LZ4, and hyparquet-compressors only unpacks single blocks.
 */

import { CorruptError } from '@embedmill/contract';

const MAGIC = 0x184d2204;
/** Bits of the descriptor. */
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY_ID = 0x01;
/** Set in the size of a block that is stored as it is. */
const STORED = 0x80000000;

/**
 * The content of a frame.
 * @param maxBytes length of the content
 * @throws {CorruptError} `corrupt-lz4`
 */
export function unpackLz4Frame(frame: Uint8Array, maxBytes: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw corrupt('it does not start with a frame');
  const flags = frame[4] ?? 0;
  const output = new Uint8Array(maxBytes);
  let at = 7 + ((flags & HAS_CONTENT_SIZE) === 0 ? 0 : 8) + ((flags & HAS_DICTIONARY_ID) === 0 ? 0 : 4);
  let length = 0;
  while (at + 4 <= frame.length) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return output.subarray(0, length);
    const end = at + (size & ~STORED);
    if (end > frame.length) break;
    const block = frame.subarray(at, end);
    if ((size & STORED) !== 0) {
      if (length + block.length > maxBytes) throw corrupt(`it has more than ${maxBytes} bytes`);
      output.set(block, length);
      length += block.length;
    } else length = unpackBlock(block, output, length);
    at = end + ((flags & HAS_BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
  throw corrupt('it ends early');
}

/** Unpacks a block, which may repeat bytes of the blocks before it; returns the new length of the output. */
function unpackBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  let at = 0;
  let length = start;
  const extended = (base: number): number => {
    if (base !== 15) return base;
    let sum = base;
    for (let byte = 255; byte === 255; sum += byte) byte = block[at++] ?? 0;
    return sum;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = extended(token >> 4);
    if (at + literals > block.length || length + literals > output.length)
      throw corrupt('a literal is too long');
    output.set(block.subarray(at, at + literals), length);
    at += literals;
    length += literals;
    if (at === block.length) break;
    const offset = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const count = extended(token & 15) + 4;
    if (offset === 0 || offset > length || length + count > output.length)
      throw corrupt('a match is outside');
    // Byte by byte, because a match may overlap what it writes.
    for (let n = 0; n < count; n++, length++) output[length] = output[length - offset] ?? 0;
  }
  return length;
}

function corrupt(problem: string): CorruptError {
  return new CorruptError(
    'corrupt-lz4',
    `the LZ4 data cannot be unpacked (${problem}); expected one LZ4 frame`,
  );
}

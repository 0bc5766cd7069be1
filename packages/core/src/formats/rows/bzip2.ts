/**
 * Unpacks bzip2 block by block. The stream of the library unpacks at once what was written to it, so that 300 bytes
 * become 300 MB before the first of them can be read.
 */

/// <reference path="./unbzip2-stream.d.ts" />

import bitIterator, { type BitReader } from 'unbzip2-stream/lib/bit_iterator.js';
import bzip2 from 'unbzip2-stream/lib/bzip2.js';

/** Bytes of a block per unit of its size. */
const UNIT_BYTES = 100_000;

/** Maximum bytes of a packed block beyond its size: its tables, and headers of the member. */
const EXTRA_BYTES = 25_000;

/**
 * Yields the bytes of each block, at most 46 MB. Reads no further in the source than the next block needs.
 * @throws if the input is damaged or ends early
 */
export async function* unpackBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  let reader: BlockReader | undefined;
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    chunks.push(chunk);
    received += chunk.length;
    reader ??= new BlockReader(bitIterator(() => chunks.shift()));
    // Bits are read without waiting, so a block must be there as a whole.
    while (received - reader.bytesRead >= reader.maxBytes) yield* reader.next();
  }
  if (reader === undefined) return;
  while (received > reader.bytesRead) yield* reader.next();
  if (reader.isInMember) throw new Error('unexpected end of input');
}

/** Reads the headers and blocks of all members. */
class BlockReader {
  readonly #bits: BitReader;
  /** Size of the blocks of this member; 0 before its header. */
  #size = 0;
  #checksum: number | null = null;
  #work = new Int32Array();

  constructor(bits: BitReader) {
    this.#bits = bits;
  }

  get bytesRead(): number {
    return this.#bits.bytesRead;
  }

  /** Maximum bytes that `next` reads. */
  get maxBytes(): number {
    return EXTRA_BYTES + UNIT_BYTES * this.#size;
  }

  /** Whether the member that was begun has not ended. */
  get isInMember(): boolean {
    return this.#checksum !== null;
  }

  /** Reads a header, a block or the end of a member, and yields the bytes of a block. */
  *next(): Generator<Uint8Array> {
    if (this.#size === 0) {
      this.#size = bzip2.header(this.#bits);
      this.#checksum = 0;
      this.#work = new Int32Array(UNIT_BYTES * this.#size);
      return;
    }
    let bytes = new Uint8Array(this.#work.length);
    let length = 0;
    const add = (byte: number) => {
      if (length === bytes.length) {
        const longer = new Uint8Array(2 * length);
        longer.set(bytes);
        bytes = longer;
      }
      bytes[length++] = byte;
    };
    this.#checksum = bzip2.decompress(this.#bits, add, this.#work, this.#work.length, this.#checksum);
    if (this.#checksum === null) this.#size = 0;
    else yield bytes.subarray(0, length);
  }
}

/** 128-bit digests of texts and ids, and a table that finds the row of a digest. */

import { hash } from 'node:crypto';

/** Length of a digest. */
export const DIGEST_BYTES = 16;

const WORDS = DIGEST_BYTES / 4;

/** Slots per row of a table, at least; slots are a power of two. */
const MIN_SLOTS_PER_ROW = 1.5;

/** The first half of the SHA-256 of a string as UTF-8. All zeros, which mark rows without a vector, do not occur. */
export function digestOfText(text: string): Uint8Array {
  return hash('sha256', text, 'buffer').subarray(0, DIGEST_BYTES);
}

/**
 * Finds rows by their digests. Takes 16 bytes per row and 6 to 12 bytes of slots, in typed arrays: a Map of
 * strings takes ten times as much.
 */
export class DigestTable {
  readonly #digests: Uint8Array;
  readonly #words: Uint32Array;
  /** Row number + 1; 0 for a free slot. */
  readonly #slots: Uint32Array;

  /** @param digests 16 bytes per row, from the start of their buffer; rows of zeros cannot be found */
  constructor(digests: Uint8Array) {
    this.#digests = digests;
    this.#words = new Uint32Array(digests.buffer, digests.byteOffset, digests.length / 4);
    const rows = digests.length / DIGEST_BYTES;
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(rows * MIN_SLOTS_PER_ROW + 2)));
    for (let row = 0; row < rows; row++) this.#insert(row);
  }

  /** The digest of a row, as a view. */
  at(row: number): Uint8Array {
    return this.#digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
  }

  /** The first row with this digest; `null` if there is none. */
  find(digest: Uint8Array): number | null {
    // A copy, because words must be aligned to four bytes.
    const words = new Uint32Array(Uint8Array.from(digest).buffer);
    const row = this.#slots[this.#slotOf(words, 0)] as number;
    return row === 0 ? null : row - 1;
  }

  #insert(row: number): void {
    const at = row * WORDS;
    const words = this.#words;
    if ((words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0) return;
    const slot = this.#slotOf(words, at);
    if (this.#slots[slot] === 0) this.#slots[slot] = row + 1;
  }

  /** The slot that has the digest at `from`, or the free slot that would take it. */
  #slotOf(given: Uint32Array, from: number): number {
    const words = this.#words;
    const mask = this.#slots.length - 1;
    for (let slot = given[from]! & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]!;
      if (row === 0) return slot;
      const at = (row - 1) * WORDS;
      let n = 0;
      while (n < WORDS && words[at + n] === given[from + n]) n += 1;
      if (n === WORDS) return slot;
    }
  }
}

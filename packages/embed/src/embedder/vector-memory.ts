/**
 * Keeps the vectors of recent texts, so that a repeated text is not computed again; an embedder may own one.
 *
 * The key consists of the token ids that the model receives: equal ids have equal vectors, bit for bit, and
 * texts that differ only in what the tokenizer drops (capitals, spaces) have equal ids.
 *
 * Decision: docs/decisions/0091.
 */

import { createHash } from 'node:crypto';

/** Ids of a longer text are replaced by their SHA-256, so that keys stay small beside the vectors, however long texts are. */
const MAX_KEY_IDS = 64;

/** A bounded memory of vectors; the least recently used one is replaced. */
export class VectorMemory {
  readonly #dim: number;
  /** One block for all vectors; the operating system commits it page by page as it fills. */
  readonly #vectors: Float32Array;
  readonly #slots: number;
  /** Slot of each key; a Map keeps insertion order, so the first key is the least recently used. */
  readonly #places = new Map<string, number>();

  /**
   * @param dim floats per vector
   * @param bytes maximum bytes of vectors; the keys take up to a quarter of it in addition
   */
  constructor(dim: number, bytes: number) {
    this.#dim = dim;
    this.#slots = Math.floor(bytes / (dim * Float32Array.BYTES_PER_ELEMENT));
    this.#vectors = new Float32Array(this.#slots * dim);
  }

  /** Writes the vector of a key to `target` at `offset`. Returns false if there is none. */
  recall(key: string, target: Float32Array, offset: number): boolean {
    const slot = this.#places.get(key);
    if (slot === undefined) return false;
    this.#places.delete(key);
    this.#places.set(key, slot);
    target.set(this.#vectors.subarray(slot * this.#dim, (slot + 1) * this.#dim), offset);
    return true;
  }

  /** Keeps the vector in `source` at `offset` under a key. */
  keep(key: string, source: Float32Array, offset: number): void {
    if (this.#slots === 0) return;
    const slot = this.#places.size < this.#slots ? this.#places.size : this.#removeOldest();
    this.#places.set(key, slot);
    this.#vectors.set(source.subarray(offset, offset + this.#dim), slot * this.#dim);
  }

  #removeOldest(): number {
    const [key, slot] = this.#places.entries().next().value!;
    this.#places.delete(key);
    return slot;
  }
}

/** Returns a key for token ids: four bytes per id, or 33 bytes, which no number of ids has. */
export function memoryKey(ids: readonly number[]): string {
  const bytes = Buffer.from(Uint32Array.from(ids).buffer);
  if (ids.length <= MAX_KEY_IDS) return bytes.toString('latin1');
  return `#${createHash('sha256').update(bytes).digest().toString('latin1')}`;
}

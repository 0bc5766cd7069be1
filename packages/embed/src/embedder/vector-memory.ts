/**
 * The vectors of the last texts, so that one that comes again is not computed again; an embedder may own one.
 *
 * The key is all the model is fed, token by token: equal ids have equal vectors, bit for bit, and texts that differ only in
 * what the tokenizer drops (capitals, blanks) have equal ids.
 */

/** Bounded; the vector that was asked for longest ago makes room. */
export class VectorMemory {
  readonly #dim: number;
  /** One block for all vectors: the system gives it page by page, as they come. */
  readonly #vectors: Float32Array;
  readonly #slots: number;
  /** Slot of each key; a Map keeps its order, so the first one is the oldest. */
  readonly #places = new Map<string, number>();

  /**
   * @param dim floats per vector
   * @param bytes most bytes of vectors; the keys take about a tenth of it on top
   */
  constructor(dim: number, bytes: number) {
    this.#dim = dim;
    this.#slots = Math.floor(bytes / (dim * Float32Array.BYTES_PER_ELEMENT));
    this.#vectors = new Float32Array(this.#slots * dim);
  }

  /** Writes the vector of these ids at `offset`; false when it is not known. */
  recall(key: string, target: Float32Array, offset: number): boolean {
    const slot = this.#places.get(key);
    if (slot === undefined) return false;
    this.#places.delete(key);
    this.#places.set(key, slot);
    target.set(this.#vectors.subarray(slot * this.#dim, (slot + 1) * this.#dim), offset);
    return true;
  }

  /** Keeps the vector at `offset`. */
  keep(key: string, source: Float32Array, offset: number): void {
    if (this.#slots === 0) return;
    const slot = this.#places.size < this.#slots ? this.#places.size : this.#forgetOldest();
    this.#places.set(key, slot);
    this.#vectors.set(source.subarray(offset, offset + this.#dim), slot * this.#dim);
  }

  #forgetOldest(): number {
    const [key, slot] = this.#places.entries().next().value!;
    this.#places.delete(key);
    return slot;
  }
}

/** Ids as a key: the four bytes of each. */
export function memoryKey(ids: readonly number[]): string {
  return Buffer.from(Uint32Array.from(ids).buffer).toString('latin1');
}

/** The mean of a long text's chunks; the embedder adds them one by one. */

/** Sums vectors, each by its weight, and gives the mean at length 1. */
export class ChunkMean {
  readonly #sum: Float64Array;

  /** @param dim floats per vector */
  constructor(dim: number) {
    this.#sum = new Float64Array(dim);
  }

  /** @param weight tokens of the chunk itself: a last chunk of one sentence counts for one sentence; or 1 for every chunk */
  add(vector: Float32Array, weight: number): void {
    for (let i = 0; i < this.#sum.length; i++) this.#sum[i]! += weight * vector[i]!;
  }

  /** Writes the mean at `offset`; false when the chunks cancel each other out. */
  writeTo(target: Float32Array, offset: number): boolean {
    const length = Math.sqrt(this.#sum.reduce((squares, value) => squares + value * value, 0));
    if (!(length > 0)) return false;
    for (let i = 0; i < this.#sum.length; i++) target[offset + i] = this.#sum[i]! / length;
    return true;
  }
}

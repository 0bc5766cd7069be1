/**
 * Computes the mean of the chunks of a long text; the embedder adds them one by one.
 * Decision: docs/decisions/0094.
 */

/** A weighted sum of vectors, written as a mean of length 1. */
export class ChunkMean {
  readonly #sum: Float64Array;

  /** @param dim floats per vector */
  constructor(dim: number) {
    this.#sum = new Float64Array(dim);
  }

  /**
   * Adds a vector.
   * @param weight number of tokens of the chunk, so that a short last chunk counts less, or 1 for an
   * unweighted mean
   */
  add(vector: Float32Array, weight: number): void {
    for (let i = 0; i < this.#sum.length; i++) this.#sum[i]! += weight * vector[i]!;
  }

  /** Writes the mean to `target` at `offset`. Returns false if the vectors cancel each other out. */
  writeTo(target: Float32Array, offset: number): boolean {
    const length = Math.sqrt(this.#sum.reduce((squares, value) => squares + value * value, 0));
    if (!(length > 0)) return false;
    for (let i = 0; i < this.#sum.length; i++) target[offset + i] = this.#sum[i]! / length;
    return true;
  }
}

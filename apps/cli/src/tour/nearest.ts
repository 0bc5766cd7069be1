/** Finds the vectors nearest to one; exact and slow, for thousands of vectors. */

/** One of the nearest. */
export interface Neighbour {
  /** Index of its row. */
  row: number;
  /** Vectors have length 1, so the dot product is the cosine. */
  cosine: number;
}

/** The `count` rows with the largest cosine to `query`, the nearest first; of equal ones the earlier row. */
export function nearestRows(query: Float32Array, vectors: Float32Array, count: number): Neighbour[] {
  const dim = query.length;
  const neighbours: Neighbour[] = [];
  for (let row = 0; row * dim < vectors.length; row++) {
    let cosine = 0;
    for (let i = 0; i < dim; i++) cosine += query[i]! * vectors[row * dim + i]!;
    neighbours.push({ row, cosine });
  }
  return neighbours.sort((a, b) => b.cosine - a.cosine).slice(0, count);
}

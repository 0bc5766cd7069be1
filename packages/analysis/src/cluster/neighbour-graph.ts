/** The graph of nearest neighbours of a few thousand rows: distances, smoothing and modularity. */

import { dotOf, normalize, rowOf } from './matrix.ts';
import type { Steps } from './steps.ts';
import type { Matrix } from './types.ts';

/** Rows between two steps. */
const STEP_ROWS = 16;

/** Squared Euclidean distances of all pairs of unit vectors, rows × rows, written into `distances`. */
export function* distanceSteps(matrix: Matrix, distances: Float32Array): Steps<void> {
  const { rows, dim, vectors } = matrix;
  for (let row = 0; row < rows; row++) {
    distances[row * rows + row] = 0;
    for (let other = 0; other < row; other++) {
      const distance = Math.max(0, 2 - 2 * dotOf(matrix, row, vectors, other * dim));
      distances[row * rows + other] = distance;
      distances[other * rows + row] = distance;
    }
    if (row % STEP_ROWS === 0) yield (row / rows) ** 2;
  }
}

/**
 * The nearest other rows of each row, rows × count, nearest first; of equal distances, the earlier row.
 * @param count 0 or more, below the number of rows
 */
export function nearestNeighbours(rows: number, distances: Float32Array, count: number): Int32Array {
  const neighbours = new Int32Array(rows * count);
  const nearest = new Float64Array(count);
  for (let row = 0; row < rows && count > 0; row++) {
    const start = row * count;
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let other = 0; other < rows; other++) {
      const distance = distances[row * rows + other]!;
      if (other === row || distance >= nearest[count - 1]!) continue;
      let at = count - 1;
      for (; at > 0 && nearest[at - 1]! > distance; at--) {
        nearest[at] = nearest[at - 1]!;
        neighbours[start + at] = neighbours[start + at - 1]!;
      }
      nearest[at] = distance;
      neighbours[start + at] = other;
    }
  }
  return neighbours;
}

/** Replaces each row by the mean of itself and its neighbours, at length 1: differences of wording cancel out. */
export function smoothRows(matrix: Matrix, neighbours: Int32Array): Matrix {
  const { rows, dim } = matrix;
  const count = neighbours.length / rows;
  const vectors = matrix.vectors.slice(0, rows * dim);
  for (let row = 0; row < rows; row++) {
    const mean = vectors.subarray(row * dim, (row + 1) * dim);
    for (const neighbour of neighbours.subarray(row * count, (row + 1) * count)) {
      const vector = rowOf(matrix, neighbour);
      for (let i = 0; i < dim; i++) mean[i]! += vector[i]!;
    }
    normalize(mean);
  }
  return { rows, dim, vectors };
}

/** Links within and between clusters; the modularity for any resolution follows from them. */
export interface LinkShares {
  /** Share of the links that stay within a cluster. */
  inside: number;
  /** Share expected if the same rows were linked at random. */
  expected: number;
}

/**
 * Counts the links of each row to its neighbours, each link with both of its ends. The modularity is `inside −
 * resolution × expected` (Newman & Girvan 2004; Reichardt & Bornholdt 2006).
 * @param assignments the cluster of each row, 0 to clusters − 1
 */
export function linkShares(neighbours: Int32Array, assignments: Int32Array, clusters: number): LinkShares {
  const count = neighbours.length / assignments.length;
  const ends = new Float64Array(clusters);
  let inside = 0;
  for (const [link, neighbour] of neighbours.entries()) {
    const own = assignments[Math.floor(link / count)]!;
    const other = assignments[neighbour]!;
    ends[own]! += 1;
    ends[other]! += 1;
    if (own === other) inside += 1;
  }
  const links = neighbours.length;
  const expected = ends.reduce((sum, number) => sum + (number / (2 * links)) ** 2, 0);
  return { inside: inside / links, expected };
}

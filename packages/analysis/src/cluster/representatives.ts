/** Picks the rows that stand for a cluster; `embedmill cluster` calls it. */

import { dotOf } from './matrix.ts';
import type { Clustering, Matrix } from './types.ts';

/** Rows with this cosine say nearly the same, and one of them is enough to show. */
const REPEATS_FROM = 0.9;

/**
 * The numbers of up to `count` rows nearest to each centroid, the nearest first. Rows that nearly repeat one before them are
 * passed over, so a cluster of repetitions has fewer.
 */
export function representativeRows(
  matrix: Matrix,
  { assignments, cosines, centroids }: Omit<Clustering, 'spread'>,
  count: number,
): number[][] {
  const shown: number[][] = Array.from({ length: centroids.rows }, () => []);
  const byCosine = Array.from(assignments.keys()).sort((a, b) => cosines[b]! - cosines[a]! || a - b);
  for (const row of byCosine) {
    const rows = shown[assignments[row]!]!;
    if (rows.length === count) continue;
    const repeats = (other: number) => dotOf(matrix, row, matrix.vectors, other * matrix.dim) >= REPEATS_FROM;
    if (!rows.some(repeats)) rows.push(row);
  }
  return shown;
}

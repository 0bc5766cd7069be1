/** Picks the representative rows of clusters. */

import { dotOf } from './matrix.ts';
import type { Clustering, Matrix } from './types.ts';

/** Minimum cosine of near-duplicates, of which only one is shown. */
const MIN_REPEAT_COSINE = 0.9;

/**
 * The numbers of up to `count` rows nearest to each centroid, nearest first. Near-duplicates of an earlier
 * row are skipped, so a repetitive cluster has fewer.
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
    const repeats = (other: number) =>
      dotOf(matrix, row, matrix.vectors, other * matrix.dim) >= MIN_REPEAT_COSINE;
    if (!rows.some(repeats)) rows.push(row);
  }
  return shown;
}

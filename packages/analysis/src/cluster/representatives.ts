/** Picks the rows that stand for a cluster; `embedmill cluster` calls it. */

import type { Clustering } from './types.ts';

/** The numbers of the `count` rows nearest to each centroid, the nearest first. */
export function representativeRows(
  { assignments, cosines, centroids }: Omit<Clustering, 'spread'>,
  count: number,
): number[][] {
  const nearest: number[][] = Array.from({ length: centroids.rows }, () => []);
  for (let row = 0; row < assignments.length; row++) {
    const rows = nearest[assignments[row]!]!;
    if (rows.length === count && cosines[row]! <= cosines[rows[count - 1]!]!) continue;
    let at = rows.length;
    while (at > 0 && cosines[rows[at - 1]!]! < cosines[row]!) at--;
    rows.splice(at, 0, row);
    if (rows.length > count) rows.pop();
  }
  return nearest;
}

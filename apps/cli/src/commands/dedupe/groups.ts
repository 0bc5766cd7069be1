/** Lists groups of duplicates. */

import { dotOf, type Matrix } from '@embedmill/analysis';

/** A row of a group. */
export interface Member {
  row: number;
  /** Cosine similarity to the first row of the group; 1 for that row itself. */
  cosine: number;
  /** The same in the first pass, if another model decided. */
  firstCosine?: number;
}

/**
 * Groups of at least two rows, in the order of their first rows.
 * @param firsts the first row of each row's group
 */
export function groupsOf(matrix: Matrix, firsts: Int32Array): Member[][] {
  const members = new Map<number, Member[]>();
  for (const [row, first] of firsts.entries()) {
    const group = members.get(first) ?? [];
    group.push({ row, cosine: row === first ? 1 : dotOf(matrix, row, matrix.vectors, first * matrix.dim) });
    members.set(first, group);
  }
  return [...members.values()].filter((group) => group.length > 1);
}

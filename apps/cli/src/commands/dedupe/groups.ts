/** Lists groups of duplicates; `embedmill dedupe` calls it. */

import { dotOf, type Matrix } from '@embedmill/analysis';

/** A row of a group. */
export interface Member {
  row: number;
  /** With the first row of the group; 1 for that row itself. */
  cosine: number;
}

/** Groups of two rows and more, in the order of their first rows; the first row comes first. */
export function groupsOf(matrix: Matrix, firsts: Int32Array): Member[][] {
  const members = new Map<number, Member[]>();
  for (const [row, first] of firsts.entries()) {
    const group = members.get(first) ?? [];
    group.push({ row, cosine: row === first ? 1 : dotOf(matrix, row, matrix.vectors, first * matrix.dim) });
    members.set(first, group);
  }
  return [...members.values()].filter((group) => group.length > 1);
}

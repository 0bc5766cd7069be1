/** Near-duplicates of a run: groups of rows linked by similarities of at least a threshold. */

import {
  type Clustering,
  dotOf,
  duplicateSteps,
  type Matrix,
  pickRows,
  type Steps,
  scaledSteps,
} from '@embedmill/analysis';

/**
 * Maximum rows that are all compared with each other. Of more rows, those of the same topic are, and of a topic with more
 * rows, those with a similar score: rows that say nearly the same are about as far from the centroid. Of 20,000 reviews
 * and questions, this finds 1,457 of 1,472 rows, in 0.7 s instead of 17 s.
 */
const MAX_COMPARED_ROWS = 5_000;

/** Maximum groups that are kept, and rows of a group. */
const MAX_GROUPS = 500;
const MAX_GROUP_ROWS = 100;

/** Groups of near-duplicates, largest first. */
export interface DuplicateGroups {
  /** Each with its first rows and their similarity to the first one. */
  groups: { rows: { row: number; score: number }[]; size: number }[];
  groupCount: number;
  rowsInGroups: number;
}

/**
 * Finds near-duplicates in steps that yield the share of the work done, 0 to 1.
 * Above 5,000 rows, it may miss duplicates that are in different topics, or in different parts of a large topic.
 * @param clustering the topics of the rows
 * @param threshold minimum cosine similarity, above 0
 */
export function* nearDuplicateSteps(
  matrix: Matrix,
  { assignments, cosines }: Pick<Clustering, 'assignments' | 'cosines'>,
  threshold: number,
): Steps<DuplicateGroups> {
  const parts = matrix.rows <= MAX_COMPARED_ROWS ? [null] : [...rowsByTopic(assignments, cosines)];
  const found: number[][] = [];
  const work = parts.reduce((sum, rows) => sum + (rows?.length ?? 1) ** 2, 0);
  let done = 0;
  for (const rows of parts) {
    const share = (rows?.length ?? 1) ** 2 / work;
    const part = rows === null ? matrix : pickRows(matrix, rows);
    const firsts = yield* scaledSteps(duplicateSteps(part, threshold), done, done + share);
    done += share;
    for (const group of groupsOf(firsts)) found.push(rows === null ? group : group.map((row) => rows[row]!));
  }
  found.sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  return {
    groups: found.slice(0, MAX_GROUPS).map((rows) => ({
      rows: rows.slice(0, MAX_GROUP_ROWS).map((row) => ({ row, score: similarity(matrix, row, rows[0]!) })),
      size: rows.length,
    })),
    groupCount: found.length,
    rowsInGroups: found.reduce((sum, rows) => sum + rows.length, 0),
  };
}

/** The rows of each topic, in parts of at most `MAX_COMPARED_ROWS` rows by their score; each in row order. */
function* rowsByTopic(topicOf: Int32Array, cosines: Float32Array): Generator<number[]> {
  const topics = new Map<number, number[]>();
  for (const [row, topic] of topicOf.entries()) {
    const rows = topics.get(topic) ?? [];
    rows.push(row);
    topics.set(topic, rows);
  }
  for (const rows of topics.values()) {
    if (rows.length > MAX_COMPARED_ROWS) rows.sort((a, b) => cosines[a]! - cosines[b]! || a - b);
    for (let at = 0; at < rows.length; at += MAX_COMPARED_ROWS) {
      yield rows.slice(at, at + MAX_COMPARED_ROWS).sort((a, b) => a - b);
    }
  }
}

function groupsOf(firsts: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  for (const [row, first] of firsts.entries()) {
    if (row === first) continue;
    const group = groups.get(first) ?? [first];
    group.push(row);
    groups.set(first, group);
  }
  return [...groups.values()];
}

function similarity(matrix: Matrix, row: number, first: number): number {
  if (row === first) return 1;
  return Math.min(1, dotOf(matrix, row, matrix.vectors, first * matrix.dim));
}

/**
 * Finds groups of near-duplicate rows, for `embedmill dedupe`.
 *
 * Compares all pairs of rows exactly. Most pairs are ruled out after the first 64 floats: by the
 * Cauchy–Schwarz inequality, the rest of the dot product is at most the product of the lengths of the
 * remaining parts.
 */

import { dotOf, rowOf } from './matrix.ts';
import type { Steps } from './steps.ts';
import type { Matrix } from './types.ts';

/** Number of floats compared first. */
const HEAD_FLOATS = 64;

/** Rows per block; the heads of two blocks fit into the CPU cache together. */
const BLOCK_ROWS = 256;

/** Tolerance for rounding errors in a bound. */
const ROUNDING = 1e-5;

/**
 * The group of each row: the number of the first row linked to it, directly or through others, by cosines of
 * at least `threshold`; its own number if there is none. Yields the share of the work done, 0 to 1.
 * @param threshold above 0, up to 1
 */
export function* duplicateSteps(matrix: Matrix, threshold: number): Steps<Int32Array> {
  const groups = Int32Array.from({ length: matrix.rows }, (_, row) => row);
  const rows = yield* uniqueRows(matrix, groups);
  const head = Math.min(HEAD_FLOATS, matrix.dim);
  const heads = new Float32Array(rows.length * head);
  const restLengths = new Float32Array(rows.length);
  for (const [n, row] of rows.entries()) {
    const vector = rowOf(matrix, row);
    heads.set(vector.subarray(0, head), n * head);
    let squares = 0;
    for (let i = head; i < matrix.dim; i++) squares += vector[i]! * vector[i]!;
    restLengths[n] = Math.sqrt(squares);
  }
  const packed: Matrix = { rows: rows.length, dim: head, vectors: heads };
  const blocks = Math.ceil(rows.length / BLOCK_ROWS);
  let done = 0;
  for (let block = 0; block < blocks; block++) {
    for (let other = 0; other <= block; other++) {
      const to = Math.min(rows.length, (block + 1) * BLOCK_ROWS);
      for (let n = block * BLOCK_ROWS; n < to; n++) {
        const last = Math.min(n, (other + 1) * BLOCK_ROWS);
        for (let m = other * BLOCK_ROWS; m < last; m++) {
          const bound = dotOf(packed, n, heads, m * head) + restLengths[n]! * restLengths[m]!;
          if (bound < threshold - ROUNDING) continue;
          if (dotOf(matrix, rows[n]!, matrix.vectors, rows[m]! * matrix.dim) < threshold) continue;
          join(groups, rows[n]!, rows[m]!);
        }
      }
      done += 1;
      yield done / ((blocks * (blocks + 1)) / 2);
    }
  }
  return groups.map((_, row) => firstOf(groups, row));
}

/** Returns the distinct rows; a row identical to an earlier one joins its group. */
function* uniqueRows({ vectors, dim, rows }: Matrix, groups: Int32Array): Steps<number[]> {
  const words = new Int32Array(vectors.buffer, vectors.byteOffset, vectors.length);
  const byHash = new Map<number, number[]>();
  const unique: number[] = [];
  for (let row = 0; row < rows; row++) {
    let hash = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) hash = (Math.imul(hash, 31) + words[i]!) | 0;
    const alike = byHash.get(hash) ?? [];
    const equal = alike.find((earlier) => isEqual(words, earlier * dim, row * dim, dim));
    if (equal === undefined) {
      unique.push(row);
      byHash.set(hash, [...alike, row]);
    } else {
      groups[row] = equal;
    }
    if (row % BLOCK_ROWS === 0) yield 0;
  }
  return unique;
}

function isEqual(words: Int32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}

/** Finds the first row of a group and shortens the links on the way (union-find, path halving). */
function firstOf(groups: Int32Array, row: number): number {
  let at = row;
  while (groups[at] !== at) {
    groups[at] = groups[groups[at]!]!;
    at = groups[at]!;
  }
  return at;
}

/** Joins two groups; the earlier of their first rows becomes the first row of both. */
function join(groups: Int32Array, a: number, b: number): void {
  const [first, second] = [firstOf(groups, a), firstOf(groups, b)];
  groups[Math.max(first, second)] = Math.min(first, second);
}

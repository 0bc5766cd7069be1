/**
 * The nearest neighbours of each row: exact for up to 2,000 rows, otherwise by nearest-neighbour descent
 * (Dong, Moses & Li 2011), which starts from random trees and compares the neighbours of neighbours.
 */

import { dotOf } from '../cluster/matrix.ts';
import type { Steps } from '../cluster/steps.ts';
import type { Matrix } from '../cluster/types.ts';
import type { Random } from '../random.ts';

/** Rows up to which all pairs are compared. */
const EXACT_ROWS = 2_000;

/** Random trees; each compares a row with the others of its leaf. */
const TREES = 6;

/** Maximum rows of a leaf. */
const LEAF_ROWS = 40;

/** Depth at which a tree stops, in case of splits with all rows on one side. */
const MAX_DEPTH = 60;

/** Maximum rounds of the descent; it ends earlier once fewer than this share of the neighbours changes in one. */
const MAX_ROUNDS = 12;
const MIN_CHANGES = 0.002;

/** New and old neighbours of a row that a round compares with each other. */
const CANDIDATES = 20;

/** Rows between two steps. */
const STEP_ROWS = 64;

/** The nearest other rows of each row. */
export interface Neighbours {
  readonly rows: number;
  readonly count: number;
  /** rows × count, nearest first. */
  readonly numbers: Int32Array;
  /** Cosine similarity to each of them. */
  readonly cosines: Float32Array;
}

/**
 * Finds neighbours in steps.
 * @param count 1 or more, below the number of rows
 */
export function* neighbourSteps(matrix: Matrix, count: number, random: Random): Steps<Neighbours> {
  const lists = new NeighbourLists(matrix, count);
  if (matrix.rows <= EXACT_ROWS) {
    for (let row = 0; row < matrix.rows; row++) {
      for (let other = 0; other < row; other++) lists.compare(row, other);
      if (row % STEP_ROWS === 0) yield (row / matrix.rows) ** 2;
    }
    return lists;
  }
  for (let tree = 0; tree < TREES; tree++) {
    for (const leaf of leavesOf(matrix, random)) {
      for (let n = 1; n < leaf.length; n++) {
        for (let m = 0; m < n; m++) lists.compare(leaf[n]!, leaf[m]!);
      }
      yield (0.3 * tree) / TREES;
    }
  }
  for (let row = 0; row < matrix.rows; row++) lists.fill(row, random);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const changes = yield* descend(lists, random, round);
    if (changes < MIN_CHANGES * matrix.rows * count) break;
  }
  return lists;
}

/** The nearest rows found so far. */
class NeighbourLists implements Neighbours {
  readonly rows: number;
  readonly count: number;
  readonly numbers: Int32Array;
  readonly cosines: Float32Array;
  /** 1 for a neighbour that no round has compared yet. */
  readonly isNew: Uint8Array;
  readonly #matrix: Matrix;

  constructor(matrix: Matrix, count: number) {
    this.rows = matrix.rows;
    this.count = count;
    this.numbers = new Int32Array(matrix.rows * count).fill(-1);
    this.cosines = new Float32Array(matrix.rows * count).fill(Number.NEGATIVE_INFINITY);
    this.isNew = new Uint8Array(matrix.rows * count);
    this.#matrix = matrix;
  }

  /** Compares two different rows; returns how many lists changed. */
  compare(a: number, b: number): number {
    const cosine = Math.fround(dotOf(this.#matrix, a, this.#matrix.vectors, b * this.#matrix.dim));
    return this.#insert(a, b, cosine) + this.#insert(b, a, cosine);
  }

  /** Completes the list of a row with random rows. */
  fill(row: number, random: Random): void {
    while (this.numbers[row * this.count + this.count - 1] === -1) {
      const other = Math.floor(random.next() * this.rows);
      if (other !== row) this.compare(row, other);
    }
  }

  #insert(row: number, other: number, cosine: number): number {
    const { numbers, cosines, isNew, count } = this;
    const start = row * count;
    let at = start + count - 1;
    if (cosine <= cosines[at]!) return 0;
    for (let n = start; n <= at; n++) if (numbers[n] === other) return 0;
    for (; at > start && cosines[at - 1]! < cosine; at--) {
      numbers[at] = numbers[at - 1]!;
      cosines[at] = cosines[at - 1]!;
      isNew[at] = isNew[at - 1]!;
    }
    numbers[at] = other;
    cosines[at] = cosine;
    isNew[at] = 1;
    return 1;
  }
}

/** The leaves of one tree; each node splits its rows by which of two random rows is nearer. */
function* leavesOf(matrix: Matrix, random: Random): Generator<Int32Array> {
  const order = Int32Array.from({ length: matrix.rows }, (_, row) => row);
  const normal = new Float32Array(matrix.dim);
  const stack = [{ from: 0, to: matrix.rows, depth: 0 }];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { from, to, depth } = node;
    if (to - from <= LEAF_ROWS || depth >= MAX_DEPTH) {
      // A node that could not be split is cut into leaves.
      for (let at = from; at < to; at += LEAF_ROWS) yield order.subarray(at, Math.min(to, at + LEAF_ROWS));
      continue;
    }
    const a = order[from + Math.floor(random.next() * (to - from))]! * matrix.dim;
    const b = order[from + Math.floor(random.next() * (to - from))]! * matrix.dim;
    for (let i = 0; i < matrix.dim; i++) normal[i] = matrix.vectors[a + i]! - matrix.vectors[b + i]!;
    let [left, right] = [from, to];
    while (left < right) {
      const row = order[left]!;
      if (dotOf(matrix, row, normal, 0) > 0) left += 1;
      else {
        right -= 1;
        order[left] = order[right]!;
        order[right] = row;
      }
    }
    stack.push({ from, to: left, depth: depth + 1 }, { from: left, to, depth: depth + 1 });
  }
}

/** One round: for each row, its new neighbours meet each other and its old ones. Returns the number of changes. */
function* descend(lists: NeighbourLists, random: Random, round: number): Steps<number> {
  const { rows, count, numbers, isNew } = lists;
  const fresh = new Candidates(rows);
  const old = new Candidates(rows);
  for (let row = 0; row < rows; row++) {
    for (let n = row * count; n < (row + 1) * count; n++) {
      const list = isNew[n] === 1 ? fresh : old;
      list.offer(row, numbers[n]!, random);
      list.offer(numbers[n]!, row, random);
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let n = row * count; n < (row + 1) * count; n++) {
      if (isNew[n] === 1 && fresh.has(row, numbers[n]!)) isNew[n] = 0;
    }
  }
  let changes = 0;
  for (let row = 0; row < rows; row++) {
    const [news, olds] = [fresh.of(row), old.of(row)];
    for (let n = 0; n < news.length; n++) {
      const a = news[n]!;
      for (let m = 0; m < n; m++) if (news[m] !== a) changes += lists.compare(a, news[m]!);
      for (const b of olds) if (b !== a) changes += lists.compare(a, b);
    }
    if (row % STEP_ROWS === 0) yield 0.3 + (0.7 * (round + row / rows)) / MAX_ROUNDS;
  }
  return changes;
}

/** A random sample of the rows offered to each row. */
class Candidates {
  readonly #numbers: Int32Array;
  readonly #offered: Int32Array;

  constructor(rows: number) {
    this.#numbers = new Int32Array(rows * CANDIDATES);
    this.#offered = new Int32Array(rows);
  }

  /** Keeps each offered row with the same probability (reservoir sampling). */
  offer(row: number, other: number, random: Random): void {
    const offered = this.#offered[row]!++;
    const at = offered < CANDIDATES ? offered : Math.floor(random.next() * (offered + 1));
    if (at < CANDIDATES) this.#numbers[row * CANDIDATES + at] = other;
  }

  of(row: number): Int32Array {
    const start = row * CANDIDATES;
    return this.#numbers.subarray(start, start + Math.min(CANDIDATES, this.#offered[row]!));
  }

  has(row: number, other: number): boolean {
    return this.of(row).includes(other);
  }
}

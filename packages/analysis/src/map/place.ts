/**
 * Places rows on a finished layout, each between its nearest rows in it.
 *
 * The rows of the layout are divided into cells around centres; the nearest rows are searched in the cells with the
 * nearest centres. A row goes to the mean of those of them that are together on the map, weighted by similarity: a mean
 * of rows in two places would be in neither.
 */

import { assignSteps, meansOf } from '../cluster/centroids.ts';
import { dotOf, pickRows } from '../cluster/matrix.ts';
import type { Steps } from '../cluster/steps.ts';
import type { Matrix } from '../cluster/types.ts';
import type { Random } from '../random.ts';

/** Cells that are searched for each row. */
const SEARCHED_CELLS = 4;

/** Nearest rows that determine a place. */
const NEAREST = 5;

/** Share of the width of the map within which rows are together. */
const TOGETHER = 0.05;

/** Rows between two steps. */
const STEP_ROWS = 64;

/**
 * Places rows in steps.
 * @param sample the rows of the layout
 * @param places their places, rows × 2
 * @param numbers the rows of `matrix` to place
 * @returns the places of these rows, numbers × 2
 */
export function* placeSteps(
  sample: Matrix,
  places: Float32Array,
  matrix: Matrix,
  numbers: Int32Array,
  random: Random,
): Steps<Float32Array> {
  // The number with which a row is compared with the fewest centres and rows.
  const count = Math.max(1, Math.round(Math.sqrt(SEARCHED_CELLS * sample.rows)));
  const draws = Int32Array.from({ length: count }, () => Math.floor(random.next() * sample.rows));
  const first = yield* assignSteps(sample, pickRows(sample, draws));
  const centres = meansOf(sample, first.assignments, count);
  const { assignments } = yield* assignSteps(sample, centres);
  // The rows of a cell are read together, so they are stored together.
  const { order, starts } = sortByCell(assignments, count);
  const sorted = pickRows(sample, order);
  const radius = TOGETHER * widthOf(places);

  const found = new Float32Array(2 * numbers.length);
  const nearCells = new NearestList(Math.min(SEARCHED_CELLS, count));
  const nearest = new NearestList(Math.min(NEAREST, sample.rows));
  for (const [n, row] of numbers.entries()) {
    nearCells.clear();
    nearest.clear();
    for (let cell = 0; cell < count; cell++) {
      nearCells.offer(cell, dotOf(matrix, row, centres.vectors, cell * matrix.dim));
    }
    for (const cell of nearCells.numbers) {
      for (let at = starts[cell]!; at < starts[cell + 1]!; at++) {
        nearest.offer(order[at]!, dotOf(matrix, row, sorted.vectors, at * matrix.dim));
      }
    }
    placeBetween(nearest, places, radius, found, 2 * n);
    if (n % STEP_ROWS === 0) yield n / numbers.length;
  }
  return found;
}

/** Writes the weighted mean of the nearest rows around the one that has most of the weight near it. */
function placeBetween(
  { numbers, scores }: NearestList,
  places: Float32Array,
  radius: number,
  found: Float32Array,
  at: number,
): void {
  // The square of the similarity above the last of them: near rows count more, and the first always counts.
  const floor = scores[scores.length - 1]! - 1e-3;
  let best = 0;
  for (const center of numbers) {
    if (center === -1) continue;
    let [x, y, sum] = [0, 0, 0];
    for (let n = 0; n < numbers.length; n++) {
      const number = numbers[n]!;
      if (number === -1) continue;
      const dx = places[2 * number]! - places[2 * center]!;
      const dy = places[2 * number + 1]! - places[2 * center + 1]!;
      if (dx * dx + dy * dy > radius * radius) continue;
      const weight = scores.length === 1 || floor < -2 ? 1 : (scores[n]! - floor) ** 2;
      sum += weight;
      x += weight * places[2 * number]!;
      y += weight * places[2 * number + 1]!;
    }
    if (sum > best) {
      best = sum;
      found[at] = x / sum;
      found[at + 1] = y / sum;
    }
  }
}

/** The rows by cell: those of cell c are `order` from `starts[c]` to `starts[c + 1]`. */
function sortByCell(assignments: Int32Array, count: number): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(count + 1);
  for (const cell of assignments) starts[cell + 1]! += 1;
  for (let cell = 0; cell < count; cell++) starts[cell + 1]! += starts[cell]!;
  const next = starts.slice();
  const order = new Int32Array(assignments.length);
  for (const [row, cell] of assignments.entries()) order[next[cell]!++] = row;
  return { order, starts };
}

function widthOf(places: Float32Array): number {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < places.length; n += 2) {
    min = Math.min(min, places[n]!);
    max = Math.max(max, places[n]!);
  }
  return max - min;
}

/** The numbers with the largest scores, largest first; −1 for a place that is still empty. */
class NearestList {
  readonly numbers: Int32Array;
  readonly scores: Float64Array;

  constructor(count: number) {
    this.numbers = new Int32Array(count);
    this.scores = new Float64Array(count);
    this.clear();
  }

  clear(): void {
    this.numbers.fill(-1);
    this.scores.fill(Number.NEGATIVE_INFINITY);
  }

  offer(number: number, score: number): void {
    const { numbers, scores } = this;
    let at = scores.length - 1;
    if (score <= scores[at]!) return;
    for (; at > 0 && scores[at - 1]! < score; at--) {
      numbers[at] = numbers[at - 1]!;
      scores[at] = scores[at - 1]!;
    }
    numbers[at] = number;
    scores[at] = score;
  }
}

/**
 * Places rows on a map, so that rows with similar vectors are near each other: UMAP (McInnes, Healy & Melville 2018).
 *
 * 1. Rows without a vector are set aside, and equal vectors are placed once.
 * 2. Up to 50,000 different vectors are drawn; the nearest neighbours of each are found (`neighbours.ts`) and become a
 *    graph with weights (`weighted-graph.ts`).
 * 3. The layout starts with the principal components and moves linked rows together and others apart (`layout.ts`).
 * 4. Each remaining vector is placed between its nearest vectors on the map (`place.ts`).
 * 5. The map is centred, turned and scaled (`frame.ts`); equal vectors become a small disc around their place.
 *
 * Only additions, multiplications, divisions and square roots of IEEE 754 are used, so the same rows and seed give the
 * same bytes in every JavaScript engine. Decision: docs/decisions/0222.
 */

import { pickRows } from '../cluster/matrix.ts';
import { type Steps, scaledSteps } from '../cluster/steps.ts';
import type { Matrix } from '../cluster/types.ts';
import { type Random, randomFrom } from '../random.ts';
import { distinctRows } from './distinct-rows.ts';
import { frame, spreadEqualRows } from './frame.ts';
import { layoutSteps, principalPlaces } from './layout.ts';
import { neighbourSteps } from './neighbours.ts';
import { placeSteps } from './place.ts';
import { weightedGraph } from './weighted-graph.ts';

/** Maximum number of rows in the layout; more are placed by their nearest rows in it. */
export const MAX_LAYOUT_ROWS = 50_000;

/** Neighbours of a row in the graph, the default of UMAP. */
const NEIGHBOURS = 15;

/** Rows from which a graph of neighbours says more than the principal components. */
const MIN_GRAPH_ROWS = 12;

/** Time between two returns to the event loop. */
const SLICE_MS = 25;

/** Options of {@link mapSteps}. */
export interface MapOptions {
  /** Random seed. Default 1. */
  readonly seed?: number;
  /** Maximum rows in the layout. Default {@link MAX_LAYOUT_ROWS}. */
  readonly maxLayoutRows?: number;
}

/** Options of {@link projectMap}. */
export interface ProjectOptions extends MapOptions {
  /** An `AbortSignal`. */
  readonly signal?: { throwIfAborted(): void };
  /** Receives the share of the work done, 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

// Node and browsers have it; this package declares no other part of either.
declare function setTimeout(callback: () => void, ms: number): unknown;

/**
 * Computes a map and returns to the event loop every 25 ms.
 *
 * @param matrix vectors of length 1; a row of zeros or NaN has no vector
 * @returns x and y of each row, interleaved: rows × 2. 99 % of the rows are within 1 of the origin, and all within 1.4;
 *   both axes have the same scale. NaN for rows without a vector
 * @throws the reason of the signal, if it is aborted
 */
export async function projectMap(matrix: Matrix, options: ProjectOptions = {}): Promise<Float32Array> {
  const steps = mapSteps(matrix, options);
  let start = Date.now();
  for (;;) {
    options.signal?.throwIfAborted();
    const step = steps.next();
    if (step.done) return step.value;
    if (Date.now() - start < SLICE_MS) continue;
    options.onProgress?.(step.value);
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    start = Date.now();
  }
}

/** Computes the map of {@link projectMap} in steps that yield the share of the work done, 0 to 1. */
export function* mapSteps(
  matrix: Matrix,
  { seed = 1, maxLayoutRows = MAX_LAYOUT_ROWS }: MapOptions = {},
): Steps<Float32Array> {
  const random = randomFrom(seed);
  const { rows: distinct, firstOf } = distinctRows(matrix);
  const drawn = drawNumbers(distinct.length, maxLayoutRows, random);
  const layoutShare = distinct.length / (distinct.length + 4 * (distinct.length - drawn.length) || 1);
  const sample = pickRows(
    matrix,
    drawn.map((n) => distinct[n]!),
  );
  const placed = yield* scaledSteps(sampleSteps(sample, random), 0, layoutShare);
  const places = new Float32Array(2 * distinct.length);
  for (const [n, row] of drawn.entries()) {
    places[2 * row] = placed[2 * n]!;
    places[2 * row + 1] = placed[2 * n + 1]!;
  }
  const rest = remaining(distinct.length, drawn);
  if (rest.length > 0) {
    const numbers = rest.map((n) => distinct[n]!);
    const found = yield* scaledSteps(placeSteps(sample, placed, matrix, numbers, random), layoutShare, 1);
    for (const [n, row] of rest.entries()) {
      places[2 * row] = found[2 * n]!;
      places[2 * row + 1] = found[2 * n + 1]!;
    }
  }
  frame(places);
  return spreadEqualRows(matrix.rows, distinct, firstOf, places);
}

function* sampleSteps(sample: Matrix, random: Random): Steps<Float32Array> {
  const start = principalPlaces(sample, random);
  if (sample.rows < MIN_GRAPH_ROWS) return start;
  const count = Math.min(NEIGHBOURS, sample.rows - 1);
  const neighbours = yield* scaledSteps(neighbourSteps(sample, count, random), 0, 0.5);
  return yield* scaledSteps(layoutSteps(weightedGraph(neighbours), start, random), 0.5, 1);
}

/** Draws up to `max` of the numbers from 0 to `count` − 1, in their order. */
function drawNumbers(count: number, max: number, random: Random): Int32Array {
  if (count <= max) return Int32Array.from({ length: count }, (_, n) => n);
  const drawn = new Int32Array(max);
  let found = 0;
  // Each number is taken with the probability that is left for it (Knuth, algorithm S).
  for (let n = 0; found < max; n++) {
    if (random.next() * (count - n) < max - found) drawn[found++] = n;
  }
  return drawn;
}

/** The numbers from 0 to `count` − 1 that were not drawn. */
function remaining(count: number, drawn: Int32Array): Int32Array {
  const rest = new Int32Array(count - drawn.length);
  let at = 0;
  for (let n = 0, next = 0; n < count; n++) {
    if (drawn[next] === n) next += 1;
    else rest[at++] = n;
  }
  return rest;
}

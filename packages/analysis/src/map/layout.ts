/** The layout of a map: a start by principal components, and forces along the links of a graph. */

import { dotOf, normalize } from '../cluster/matrix.ts';
import type { Steps } from '../cluster/steps.ts';
import type { Matrix } from '../cluster/types.ts';
import type { Random } from '../random.ts';
import type { WeightedGraph } from './weighted-graph.ts';

/** Rows from which principal components are computed, and rounds of the iteration. */
const COMPONENT_ROWS = 4_000;
const COMPONENT_ROUNDS = 16;

/** Half of the width of the start. */
const START_RADIUS = 10;

/** Epochs for few and for many rows, as in UMAP. */
const EPOCHS = { few: 400, many: 200 } as const;
const MANY_ROWS = 10_000;

/** Rows pushed away for each link that pulls. */
const PUSHES = 5;

/**
 * Two places at distance d are close with 1 / (1 + NEARNESS × d²). UMAP has d^(2b) with b near 1; 1 needs no power.
 */
const NEARNESS = 0.6;

/** Maximum move along one axis, before it is multiplied by the step size. */
const MAX_MOVE = 4;

/** Links between two steps. */
const STEP_LINKS = 65_536;

/** The first two principal components of each row, rows × 2, about −10 to 10. */
export function principalPlaces(matrix: Matrix, random: Random): Float32Array {
  const { rows, dim, vectors } = matrix;
  const stride = Math.max(1, Math.floor(rows / COMPONENT_ROWS));
  const mean = new Float32Array(dim);
  let used = 0;
  for (let row = 0; row < rows; row += stride) {
    used += 1;
    for (let i = 0; i < dim; i++) mean[i]! += vectors[row * dim + i]!;
  }
  for (let i = 0; i < dim; i++) mean[i]! /= used;
  const axes = [0, 1].map(() => Float32Array.from({ length: dim }, () => random.next() - 0.5));
  for (let round = 0; round < COMPONENT_ROUNDS; round++) {
    for (const [n, axis] of axes.entries()) {
      const offset = dotOf({ rows: 1, dim, vectors: mean }, 0, axis, 0);
      const next = new Float32Array(dim);
      for (let row = 0; row < rows; row += stride) {
        const place = dotOf(matrix, row, axis, 0) - offset;
        for (let i = 0; i < dim; i++) next[i]! += place * (vectors[row * dim + i]! - mean[i]!);
      }
      if (n === 1) {
        const along = dotOf({ rows: 1, dim, vectors: next }, 0, axes[0]!, 0);
        for (let i = 0; i < dim; i++) next[i]! -= along * axes[0]![i]!;
      }
      // Without a second direction the axis stays as it was.
      if (normalize(next)) axis.set(next);
    }
  }
  const places = new Float32Array(2 * rows);
  let max = 0;
  for (const [n, axis] of axes.entries()) {
    const offset = dotOf({ rows: 1, dim, vectors: mean }, 0, axis, 0);
    for (let row = 0; row < rows; row++) {
      const place = dotOf(matrix, row, axis, 0) - offset;
      places[2 * row + n] = place;
      max = Math.max(max, Math.abs(place));
    }
  }
  const scale = max > 0 ? START_RADIUS / max : 0;
  for (let n = 0; n < places.length; n++) places[n]! *= scale;
  return places;
}

/** Moves the places along the links, from the start. Changes and returns `places`. */
export function* layoutSteps(
  graph: WeightedGraph,
  places: Float32Array,
  random: Random,
): Steps<Float32Array> {
  const { rows, from, to } = graph;
  const epochs = rows <= MANY_ROWS ? EPOCHS.few : EPOCHS.many;
  const heaviest = graph.weights.reduce((max, weight) => Math.max(max, weight), 0);
  // A link of the largest weight pulls in each epoch, the others less often.
  const period = Float32Array.from(graph.weights, (weight) => heaviest / Math.max(weight, 1e-9));
  const due = period.slice();
  let state = Math.floor(random.next() * 2 ** 32) | 1;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const size = 1 - (epoch - 1) / epochs;
    for (let first = 0; first < due.length; first += STEP_LINKS) {
      const last = Math.min(due.length, first + STEP_LINKS);
      for (let link = first; link < last; link++) {
        if (due[link]! > epoch) continue;
        due[link]! += period[link]!;
        const a = 2 * from[link]!;
        const b = 2 * to[link]!;
        let x = places[a]!;
        let y = places[a + 1]!;
        let dx = x - places[b]!;
        let dy = y - places[b + 1]!;
        let square = dx * dx + dy * dy;
        const pull = (-2 * NEARNESS) / (1 + NEARNESS * square);
        const moveX = size * bounded(pull * dx);
        const moveY = size * bounded(pull * dy);
        x += moveX;
        y += moveY;
        places[b]! -= moveX;
        places[b + 1]! -= moveY;
        for (let push = 0; push < PUSHES; push++) {
          // Xorshift (Marsaglia 2003).
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          const c = 2 * Math.floor(((state >>> 0) * rows) / 2 ** 32);
          if (c === a) continue;
          dx = x - places[c]!;
          dy = y - places[c + 1]!;
          square = dx * dx + dy * dy;
          const force = 2 / ((0.001 + square) * (1 + NEARNESS * square));
          x += size * bounded(force * dx);
          y += size * bounded(force * dy);
        }
        places[a] = x;
        places[a + 1] = y;
      }
      yield (epoch - 1 + last / due.length) / epochs;
    }
  }
  return places;
}

function bounded(move: number): number {
  return move > MAX_MOVE ? MAX_MOVE : move < -MAX_MOVE ? -MAX_MOVE : move;
}

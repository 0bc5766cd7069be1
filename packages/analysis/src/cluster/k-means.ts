/**
 * Mini-batch k-means on the sphere; `embedmill cluster` and the evaluation call it.
 *
 * Sculley's mini-batches ("Web-scale k-means clustering", 2010) with cosines: a batch of rows goes to its nearest
 * centroids, and each centroid moves to the mean of all rows that it has had so far. Begun with k-means++ (Arthur &
 * Vassilvitskii 2007) on a sample, done a few times over, of which the tightest is kept.
 *
 * Decision: docs/decisions/0102.
 */

import { type Random, randomFrom } from '../random.ts';
import { dotOf, normalize, pickRows, rowOf } from './matrix.ts';
import { finish, type Steps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';

/** Choices of the clustering; all have a default in `kMeansDefaults`. */
export interface KMeansOptions {
  readonly seed?: number;
  /** Rows of a mini-batch. */
  readonly batchRows?: number;
  /** Batches after which one attempt ends. */
  readonly batches?: number;
  /** Attempts from other beginnings. */
  readonly attempts?: number;
}

export const kMeansDefaults: Required<KMeansOptions> = {
  seed: 1,
  batchRows: 1024,
  batches: 100,
  attempts: 3,
};

/** Rows that the first centroids are drawn from, per cluster. */
const SAMPLE_ROWS_PER_CLUSTER = 50;

/** Rows between two steps: some milliseconds. */
const STEP_ROWS = 1024;

/** Passes over the sample that an attempt is judged by after its batches, moving each centroid to the mean of its rows. */
const POLISHING_PASSES = 3;

/**
 * In steps that yield the part that is done, 0 to 1, for callers that have other things to do too; `finish` takes all steps.
 * @param clusters at most as many as rows; of rows that are all alike, fewer come back
 * @throws {RangeError} when there are fewer rows than clusters, or no cluster is asked for
 */
export function* kMeansSteps(
  matrix: Matrix,
  clusters: number,
  options: KMeansOptions = {},
): Steps<Clustering> {
  const { seed, batchRows, batches, attempts } = { ...kMeansDefaults, ...options };
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= matrix.rows)) {
    throw new RangeError(
      `${clusters} clusters of ${matrix.rows} rows are asked for; expected 1 to ${matrix.rows}`,
    );
  }
  const random = randomFrom(seed);
  const sample = drawSample(matrix, clusters * SAMPLE_ROWS_PER_CLUSTER, random);
  let best: { centroids: Matrix; spread: number } | null = null;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const centroids = yield* drawCentroids(sample, clusters, random, attempt / (attempts + 1));
    const weights = new Float64Array(clusters);
    for (let n = 0; n < batches; n++) {
      moveByBatch(matrix, centroids, weights, batchRows, random);
      yield (attempt + n / batches) / (attempts + 1);
    }
    for (let pass = 0; pass < POLISHING_PASSES; pass++) {
      moveToMeans(sample, centroids, yield* assignSteps(sample, centroids));
    }
    const { spread } = yield* assignSteps(sample, centroids);
    if (best === null || spread < best.spread) best = { centroids, spread };
  }
  return dropEmpty(
    matrix,
    best!.centroids,
    yield* assignSteps(matrix, best!.centroids, attempts / (attempts + 1)),
  );
}

/** All steps of `kMeansSteps` at once. */
export function kMeans(matrix: Matrix, clusters: number, options: KMeansOptions = {}): Clustering {
  return finish(kMeansSteps(matrix, clusters, options));
}

/** Up to `rows` different rows. */
function drawSample(matrix: Matrix, rows: number, random: Random): Matrix {
  if (rows >= matrix.rows) return matrix;
  const numbers = new Set<number>();
  while (numbers.size < rows) numbers.add(Math.floor(random.next() * matrix.rows));
  return pickRows(matrix, [...numbers]);
}

/**
 * Greedy k-means++, as in scikit-learn: each next centroid is a row, more likely one that is far from those before it; a
 * few are drawn, and the one that leaves the rows nearest to a centroid is taken.
 */
function* drawCentroids(sample: Matrix, clusters: number, random: Random, share: number): Steps<Matrix> {
  const draws = 2 + Math.floor(Math.log(clusters));
  const picked: number[] = [];
  let distances = new Float64Array(sample.rows).fill(1);
  while (picked.length < clusters) {
    let best: { row: number; distances: Float64Array<ArrayBuffer>; sum: number } | null = null;
    for (let n = 0; n < draws; n++) {
      const row = drawBy(distances, random);
      const next = distances.slice();
      let sum = 0;
      for (let other = 0; other < sample.rows; other++) {
        // Of unit vectors |a − b|² = 2 (1 − cosine), so this is k-means++'s squared distance.
        const distance = Math.max(0, 1 - dotOf(sample, other, sample.vectors, row * sample.dim));
        if (picked.length === 0 || distance < next[other]!) next[other] = distance;
        sum += next[other]!;
      }
      if (best === null || sum < best.sum) best = { row, distances: next, sum };
    }
    picked.push(best!.row);
    distances = best!.distances;
    yield share;
  }
  return pickRows(sample, picked);
}

/** A number, each as likely as its weight is large. */
function drawBy(weights: Float64Array, random: Random): number {
  let rest = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
  let row = 0;
  for (rest -= weights[0]!; rest > 0 && row < weights.length - 1; rest -= weights[row]!) row++;
  return row;
}

function moveByBatch(
  matrix: Matrix,
  centroids: Matrix,
  weights: Float64Array,
  batchRows: number,
  random: Random,
): void {
  const batch = Int32Array.from({ length: Math.min(batchRows, matrix.rows) }, () =>
    Math.floor(random.next() * matrix.rows),
  );
  // All rows choose before any centroid moves, as in Sculley's algorithm.
  const chosen = batch.map((row) => nearestCentroid(matrix, row, centroids).cluster);
  for (const [n, row] of batch.entries()) {
    const cluster = chosen[n]!;
    weights[cluster]! += 1;
    const rate = 1 / weights[cluster]!;
    const centroid = rowOf(centroids, cluster);
    const vector = rowOf(matrix, row);
    for (let i = 0; i < centroid.length; i++) centroid[i]! += rate * (vector[i]! - centroid[i]!);
  }
  for (let cluster = 0; cluster < centroids.rows; cluster++) normalize(rowOf(centroids, cluster));
}

/** One step of Lloyd's: every centroid that has rows moves to their mean. */
function moveToMeans(
  matrix: Matrix,
  centroids: Matrix,
  { assignments }: Pick<Clustering, 'assignments'>,
): void {
  const { dim } = matrix;
  const sums = new Float32Array(centroids.vectors.length);
  for (let row = 0; row < matrix.rows; row++) {
    const to = assignments[row]! * dim;
    for (let i = 0; i < dim; i++) sums[to + i]! += matrix.vectors[row * dim + i]!;
  }
  for (let cluster = 0; cluster < centroids.rows; cluster++) {
    const sum = sums.subarray(cluster * dim, (cluster + 1) * dim);
    if (normalize(sum)) rowOf(centroids, cluster).set(sum);
  }
}

function nearestCentroid(
  matrix: Matrix,
  row: number,
  centroids: Matrix,
): { cluster: number; cosine: number } {
  let cluster = 0;
  let cosine = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < centroids.rows; n++) {
    const next = dotOf(matrix, row, centroids.vectors, n * centroids.dim);
    if (next <= cosine) continue;
    cosine = next;
    cluster = n;
  }
  return { cluster, cosine };
}

/** Every row goes to its nearest centroid. Yields the part that is done, between `from` and 1. */
function* assignSteps(matrix: Matrix, centroids: Matrix, from = 0): Steps<Omit<Clustering, 'centroids'>> {
  const assignments = new Int32Array(matrix.rows);
  const cosines = new Float32Array(matrix.rows);
  let sum = 0;
  for (let row = 0; row < matrix.rows; row++) {
    const { cluster, cosine } = nearestCentroid(matrix, row, centroids);
    assignments[row] = cluster;
    cosines[row] = cosine;
    sum += 1 - cosine;
    if (row % STEP_ROWS === 0) yield from + (1 - from) * (row / matrix.rows);
  }
  return { assignments, cosines, spread: sum / matrix.rows };
}

/** Numbers the clusters that have rows anew, the largest first. */
function dropEmpty(matrix: Matrix, centroids: Matrix, assigned: Omit<Clustering, 'centroids'>): Clustering {
  const sizes = new Float64Array(centroids.rows);
  for (let row = 0; row < matrix.rows; row++) sizes[assigned.assignments[row]!]! += 1;
  const kept = [...sizes.keys()]
    .filter((cluster) => sizes[cluster]! > 0)
    .sort((a, b) => sizes[b]! - sizes[a]!);
  const numbers = new Int32Array(centroids.rows);
  for (const [number, cluster] of kept.entries()) numbers[cluster] = number;
  return {
    ...assigned,
    assignments: assigned.assignments.map((cluster) => numbers[cluster]!),
    centroids: pickRows(centroids, kept),
  };
}

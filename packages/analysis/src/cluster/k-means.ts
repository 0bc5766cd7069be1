/**
 * Mini-batch k-means on the unit sphere.
 *
 * Sculley's mini-batches ("Web-scale k-means clustering", 2010) with cosines: each row of a batch is assigned
 * to its nearest centroid, and each centroid moves to the mean of all rows assigned to it so far. Initialized
 * with k-means++ (Arthur & Vassilvitskii 2007) on a sample, in several attempts, of which the one with the
 * smallest spread is kept.
 *
 * Decision: docs/decisions/0102.
 */

import { type Random, randomFrom } from '../random.ts';
import { assignSteps, dropEmpty, moveToMeans, nearestCentroid } from './centroids.ts';
import { dotOf, normalize, pickRows, rowOf } from './matrix.ts';
import { finish, type Steps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';

/** Options of the clustering; `K_MEANS_DEFAULTS` holds the defaults. */
export interface KMeansOptions {
  /** Random seed. */
  readonly seed?: number;
  /** Rows per mini-batch. */
  readonly batchRows?: number;
  /** Mini-batches per attempt. */
  readonly batches?: number;
  /** Attempts with different initial centroids. */
  readonly attempts?: number;
}

/** Default options. */
export const K_MEANS_DEFAULTS: Required<KMeansOptions> = {
  seed: 1,
  batchRows: 1024,
  batches: 100,
  attempts: 3,
};

/** Rows per cluster in the sample from which the initial centroids are drawn. */
const SAMPLE_ROWS_PER_CLUSTER = 50;

/** Passes over the sample after the mini-batches; each moves the centroids to the means of their rows. */
const POLISHING_PASSES = 3;

/**
 * Clusters rows in steps that yield the share of the work done, 0 to 1; `finish` runs all steps.
 * @param clusters 1 to the number of rows; the result has fewer if there are fewer distinct rows
 * @throws {RangeError} if `clusters` is not an integer from 1 to the number of rows
 */
export function* kMeansSteps(
  matrix: Matrix,
  clusters: number,
  options: KMeansOptions = {},
): Steps<Clustering> {
  const { seed, batchRows, batches, attempts } = { ...K_MEANS_DEFAULTS, ...options };
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= matrix.rows)) {
    throw new RangeError(
      `cannot make ${clusters} clusters of ${matrix.rows} rows; expected a whole number from 1 to ${matrix.rows}`,
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
  return dropEmpty(best!.centroids, yield* assignSteps(matrix, best!.centroids, attempts / (attempts + 1)));
}

/** Runs all steps of `kMeansSteps`. */
export function kMeans(matrix: Matrix, clusters: number, options: KMeansOptions = {}): Clustering {
  return finish(kMeansSteps(matrix, clusters, options));
}

/** Draws up to `rows` distinct rows. */
function drawSample(matrix: Matrix, rows: number, random: Random): Matrix {
  if (rows >= matrix.rows) return matrix;
  const numbers = new Set<number>();
  while (numbers.size < rows) numbers.add(Math.floor(random.next() * matrix.rows));
  return pickRows(matrix, [...numbers]);
}

/**
 * Greedy k-means++, as in scikit-learn: each next centroid is a row, drawn with a probability that grows with
 * its distance; a few candidates are drawn, and the one with the smallest sum of distances is kept.
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
        // For unit vectors |a − b|² = 2 (1 − cosine), so this is the squared distance of k-means++ but for a
        // factor.
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

/** Draws an index with a probability proportional to its weight. */
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
  // All rows are assigned before any centroid moves, as in Sculley's algorithm.
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

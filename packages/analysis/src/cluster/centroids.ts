/** Centroids of clusters: means, assignment of rows to the nearest one, and how well rows fit. */

import { dotOf, normalize, pickRows, rowOf } from './matrix.ts';
import type { Steps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';

/** Rows between two steps, which take some milliseconds. */
const STEP_ROWS = 1024;

/** A clustering before its centroids are final. */
export type Assignment = Omit<Clustering, 'centroids'>;

/** Moves each centroid with rows to the mean of its rows (one step of Lloyd's algorithm). */
export function moveToMeans(
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

/** The means of the rows of each cluster, at length 1. */
export function meansOf(matrix: Matrix, assignments: Int32Array, clusters: number): Matrix {
  const { dim } = matrix;
  const centroids = { rows: clusters, dim, vectors: new Float32Array(clusters * dim) };
  moveToMeans(matrix, centroids, { assignments });
  return centroids;
}

/** The nearest centroid of a row; of equal ones, the first. */
export function nearestCentroid(
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

/** The nearest other centroid of each centroid; −1 if there is only one. */
export function nearestOthers(centroids: Matrix): Int32Array {
  return Int32Array.from({ length: centroids.rows }, (_, row) => {
    let nearest = -1;
    let cosine = Number.NEGATIVE_INFINITY;
    for (let other = 0; other < centroids.rows; other++) {
      if (other === row) continue;
      const next = dotOf(centroids, row, centroids.vectors, other * centroids.dim);
      if (next <= cosine) continue;
      cosine = next;
      nearest = other;
    }
    return nearest;
  });
}

/** Assigns each row to its nearest centroid. Yields the share of the work done, from `from` to 1. */
export function* assignSteps(matrix: Matrix, centroids: Matrix, from = 0): Steps<Assignment> {
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

/** The numbers of the clusters with rows, largest first. */
export function bySize(assignments: Int32Array, clusters: number): number[] {
  const sizes = new Float64Array(clusters);
  for (const cluster of assignments) sizes[cluster]! += 1;
  return [...sizes.keys()].filter((cluster) => sizes[cluster]! > 0).sort((a, b) => sizes[b]! - sizes[a]!);
}

/** Drops empty clusters and renumbers the others, largest first. */
export function dropEmpty(centroids: Matrix, assigned: Assignment): Clustering {
  const kept = bySize(assigned.assignments, centroids.rows);
  const numbers = new Int32Array(centroids.rows);
  for (const [number, cluster] of kept.entries()) numbers[cluster] = number;
  return {
    ...assigned,
    assignments: assigned.assignments.map((cluster) => numbers[cluster]!),
    centroids: pickRows(centroids, kept),
  };
}

/**
 * Mean over the rows of (b − a) / max(a, b), where a is the distance (1 − cosine) to the centroid of the row
 * and b to the nearest other centroid (Hruschka, de Castro & Campello 2004): a silhouette without comparing
 * all pairs of rows. −1 to 1; 0 for one cluster.
 */
export function simplifiedSilhouette(matrix: Matrix, assignments: Int32Array, centroids: Matrix): number {
  if (centroids.rows < 2) return 0;
  let sum = 0;
  for (let row = 0; row < matrix.rows; row++) {
    let own = 0;
    let other = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < centroids.rows; cluster++) {
      const distance = Math.max(0, 1 - dotOf(matrix, row, centroids.vectors, cluster * matrix.dim));
      if (cluster === assignments[row]) own = distance;
      else other = Math.min(other, distance);
    }
    const larger = Math.max(own, other);
    sum += larger === 0 ? 0 : (other - own) / larger;
  }
  return sum / matrix.rows;
}

/** Computes a point and a cluster for every vector; the web worker of the map calls it. */

import { kMeans } from '@embedmill/analysis';
import { rowView } from '@embedmill/contract';
import { PCA } from 'ml-pca';
import type { MapRequest, PlacedRows } from './protocol.ts';

/** Maximum rows for the principal components: more rows turn the axes by an invisible angle. */
const MAX_SAMPLE_ROWS = 1000;

/**
 * Projects all rows onto the first two principal components of a sample. Clusters come from k-means on the
 * whole vectors, because two axes of 384 hide most differences between texts.
 * @param onStep called with the name of each step when it begins
 */
export function placeRows(request: MapRequest, onStep: (step: string) => void): PlacedRows {
  const { dim, vectors } = request;
  const present = rowsWithVector(request);
  const matrix = pick(vectors, dim, present);
  const rows = present.length;
  onStep('finding clusters');
  const clusterCount = Math.min(request.clusters, rows);
  const { assignments, cosines } = kMeans({ rows, dim, vectors: matrix }, clusterCount, {
    batches: 40,
    attempts: 1,
  });
  onStep('finding two axes');
  const step = Math.max(1, rows / MAX_SAMPLE_ROWS);
  const sample = Array.from({ length: Math.min(rows, MAX_SAMPLE_ROWS) }, (_, i) => {
    const row = Math.floor(i * step);
    return Array.from(rowView(matrix, dim, row));
  });
  const pca = new PCA(sample, { method: 'covarianceMatrix', center: true, scale: false });
  const [first = [], second = []] = [0, 1].map((column) => pca.getEigenvectors().getColumn(column));
  const x = new Float32Array(request.rows).fill(Number.NaN);
  const y = new Float32Array(request.rows).fill(Number.NaN);
  const clusters = new Int32Array(request.rows).fill(-1);
  for (const [i, row] of present.entries()) {
    // The mean is not subtracted: that would only shift all points equally.
    x[row] = dot(matrix, i * dim, first);
    y[row] = dot(matrix, i * dim, second);
    clusters[row] = assignments[i]!;
  }
  const explained = pca.getExplainedVariance();
  return {
    x,
    y,
    clusters,
    examples: nearestToCentroid(assignments, cosines, clusterCount).map((i) => present[i]!),
    shown: (explained[0] ?? 0) + (explained[1] ?? 0),
  };
}

/** Indexes of the rows with vectors; a row without one consists of zeros. */
function rowsWithVector({ rows, dim, vectors }: MapRequest): number[] {
  return Array.from({ length: rows }, (_, row) => row).filter((row) =>
    rowView(vectors, dim, row).some((value) => value !== 0),
  );
}

function pick(vectors: Float32Array, dim: number, rows: readonly number[]): Float32Array {
  const picked = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) picked.set(rowView(vectors, dim, row), i * dim);
  return picked;
}

function dot(vectors: Float32Array, start: number, axis: readonly number[]): number {
  return axis.reduce((sum, value, i) => sum + value * vectors[start + i]!, 0);
}

function nearestToCentroid(assignments: Int32Array, cosines: Float32Array, clusters: number): number[] {
  const best = new Array<number>(clusters).fill(-1);
  for (const [i, cluster] of assignments.entries()) {
    if (best[cluster] === -1 || cosines[i]! > cosines[best[cluster]!]!) best[cluster] = i;
  }
  return best.filter((i) => i >= 0);
}

/** Clusters the rows of a vector file and summarizes each cluster. */

import {
  bestCount,
  type Clustering,
  type CountScore,
  KeyTerms,
  kMeansSteps,
  representativeRows,
  type Steps,
  scoreCountsSteps,
} from '@embedmill/analysis';
import { STOP_WORDS } from '../../io/texts/stop-words.ts';
import type { LoadedVectors } from '../../io/vectors/load.ts';

/** Representative rows per cluster. */
const REPRESENTATIVES = 3;

/** Key terms per cluster. */
const TERMS = 8;

/** How to cluster. */
export interface ClusterOptions {
  /** Number of clusters; `null` to choose it. */
  clusters: number | null;
  /** Random seed. */
  seed: number;
}

/** The clusters, and how their number was chosen. */
export interface ClusterResult {
  clustering: Clustering;
  /** Scores of the numbers tried; empty if the number was given. */
  tried: CountScore[];
}

/** Summary of one cluster. Plain JSON. */
export interface ClusterSummary {
  /** Number of the cluster, from 0. */
  cluster: number;
  rows: number;
  /** Mean cosine similarity of its rows to its centroid. */
  cohesion: number;
  /** Words frequent in this cluster and rare in others; empty without texts. */
  terms: string[];
  /** Distinct rows near its centroid, with their texts if known. */
  representatives: { id: string; text: string | null }[];
}

/** Clusters in steps; choosing the number of clusters takes the first half. */
export function* clusterSteps(
  { matrix }: LoadedVectors,
  { clusters, seed }: ClusterOptions,
): Steps<ClusterResult> {
  const tried = clusters === null ? yield* scaled(scoreCountsSteps(matrix, seed), 0, 0.5) : [];
  const count = clusters ?? Math.min(matrix.rows, bestCount(tried));
  const clustering = yield* scaled(kMeansSteps(matrix, count, { seed }), clusters === null ? 0.5 : 0, 1);
  return { clustering, tried };
}

/** Scales the progress of steps to a range. */
function* scaled<Result>(steps: Steps<Result>, from: number, to: number): Steps<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield from + (to - from) * step.value;
  }
}

/** Summarizes each cluster. @param textOf returns the text of a row of `loaded`; `null` if unknown */
export function summarizeClusters(
  clustering: Clustering,
  { matrix, ids }: LoadedVectors,
  textOf: (row: number) => string | null,
): ClusterSummary[] {
  const { assignments, cosines, centroids } = clustering;
  const terms = new KeyTerms(centroids.rows, STOP_WORDS);
  const sizes = new Array<number>(centroids.rows).fill(0);
  const sums = new Array<number>(centroids.rows).fill(0);
  for (let row = 0; row < matrix.rows; row++) {
    const cluster = assignments[row]!;
    sizes[cluster]! += 1;
    sums[cluster]! += cosines[row]!;
    const text = textOf(row);
    if (text !== null) terms.add(cluster, text);
  }
  const words = terms.top(TERMS);
  const shown = representativeRows(matrix, clustering, REPRESENTATIVES);
  return sizes.map((rows, cluster) => ({
    cluster,
    rows,
    cohesion: sums[cluster]! / rows,
    terms: words[cluster]!,
    representatives: shown[cluster]!.map((row) => ({ id: ids[row]!, text: textOf(row) })),
  }));
}

/** Clusters the rows of a file of vectors and describes each cluster; `embedmill cluster` calls it. */

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
import type { LoadedVectors } from '../../io/vectors/load.ts';
import { STOP_WORDS } from './stop-words.ts';

/** Rows that stand for a cluster, and words that name it. */
const REPRESENTATIVES = 3;
const TERMS = 8;

/** What a clustering is asked for. */
export interface ClusterOptions {
  /** Clusters; `null` to find out how many. */
  clusters: number | null;
  seed: number;
}

/** The clusters, and how their number was found. */
export interface ClusterResult {
  clustering: Clustering;
  /** The numbers that were tried; empty when one was asked for. */
  tried: CountScore[];
}

/** One cluster as people read it. Plain JSON. */
export interface ClusterSummary {
  cluster: number;
  rows: number;
  /** Mean cosine of its rows with its centroid. */
  cohesion: number;
  /** Words that are frequent in it and rare elsewhere; empty without texts. */
  terms: string[];
  /** Ids of rows near its centroid that do not repeat each other, with their texts where they are known. */
  representatives: { id: string; text: string | null }[];
}

/** In steps, the search for the number of clusters being the first half when there is one. */
export function* clusterSteps(
  { matrix }: LoadedVectors,
  { clusters, seed }: ClusterOptions,
): Steps<ClusterResult> {
  const tried = clusters === null ? yield* scaled(scoreCountsSteps(matrix, seed), 0, 0.5) : [];
  const count = clusters ?? Math.min(matrix.rows, bestCount(tried));
  const clustering = yield* scaled(kMeansSteps(matrix, count, { seed }), clusters === null ? 0.5 : 0, 1);
  return { clustering, tried };
}

/** The same steps as a part of a longer work. */
function* scaled<Result>(steps: Steps<Result>, from: number, to: number): Steps<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield from + (to - from) * step.value;
  }
}

/** @param textOf gives the text of a row of `loaded`; `null` when it is not known */
export function summarize(
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

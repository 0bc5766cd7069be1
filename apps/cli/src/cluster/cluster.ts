/** Clusters the rows of a file of vectors and describes each cluster; `embedmill cluster` calls it. */

/// <reference path="./stopword.d.ts" />

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
import { eng } from 'stopword';
import type { LoadedVectors } from '../vectors/load.ts';

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
  /** Ids of the rows nearest to its centroid, with their texts where they are known. */
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

/** @param texts by id; empty when none are known */
export function summarize(
  { assignments, cosines, centroids }: Clustering,
  ids: readonly string[],
  texts: ReadonlyMap<string, string>,
): ClusterSummary[] {
  const terms = new KeyTerms(centroids.rows, new Set(eng));
  const sizes = new Array<number>(centroids.rows).fill(0);
  const sums = new Array<number>(centroids.rows).fill(0);
  for (const [row, id] of ids.entries()) {
    const cluster = assignments[row]!;
    sizes[cluster]! += 1;
    sums[cluster]! += cosines[row]!;
    const text = texts.get(id);
    if (text !== undefined) terms.add(cluster, text);
  }
  const words = terms.top(TERMS);
  const nearest = representativeRows({ assignments, cosines, centroids }, REPRESENTATIVES);
  return sizes.map((rows, cluster) => ({
    cluster,
    rows,
    cohesion: sums[cluster]! / rows,
    terms: words[cluster]!,
    representatives: nearest[cluster]!.map((row) => ({ id: ids[row]!, text: texts.get(ids[row]!) ?? null })),
  }));
}

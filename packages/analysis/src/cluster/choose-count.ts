/** Finds out how many clusters rows fall into; `embedmill cluster --k auto` calls it. */

import { randomFrom } from '../random.ts';
import { kMeansSteps } from './k-means.ts';
import { dotOf, pickRows } from './matrix.ts';
import type { Steps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';

/** A number of clusters and how well they stand apart. */
export interface CountScore {
  clusters: number;
  /** Mean simplified silhouette, −1 to 1; larger is better. */
  silhouette: number;
}

/** Rows that the numbers are tried on. */
const SAMPLE_ROWS = 8_000;

/** Numbers that are tried, as far as there are rows for them. */
const CANDIDATES = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128] as const;

/** A cluster should have so many rows on average, or it says little. */
const MIN_ROWS_PER_CLUSTER = 8;

/** Fewer than for a result: the numbers are compared with each other, not polished. */
const TRIAL = { attempts: 2, batches: 50 } as const;

/**
 * Tries numbers of clusters on a sample and gives their scores, in ascending order of the numbers.
 * @param seed of the sample and of the clusterings
 */
export function* scoreCountsSteps(matrix: Matrix, seed: number): Steps<CountScore[]> {
  const rows = randomFrom(seed)
    .shuffle(Array.from({ length: matrix.rows }, (_, row) => row))
    .slice(0, SAMPLE_ROWS);
  const sample = pickRows(matrix, rows);
  const candidates = CANDIDATES.filter((clusters) => clusters * MIN_ROWS_PER_CLUSTER <= sample.rows);
  const total = candidates.reduce((sum, clusters) => sum + clusters, 0);
  const scores: CountScore[] = [];
  let done = 0;
  for (const clusters of candidates) {
    for (const steps = kMeansSteps(sample, clusters, { ...TRIAL, seed }); ; ) {
      const step = steps.next();
      if (!step.done) {
        // The work grows with the number of clusters.
        yield (done + step.value * clusters) / total;
        continue;
      }
      scores.push({ clusters, silhouette: simplifiedSilhouette(sample, step.value) });
      break;
    }
    done += clusters;
  }
  return scores;
}

/** The number with the largest silhouette; of equal ones the smallest. 1 when none could be tried. */
export function bestCount(scores: readonly CountScore[]): number {
  let best: CountScore | null = null;
  for (const score of scores) if (best === null || score.silhouette > best.silhouette) best = score;
  return best?.clusters ?? 1;
}

/**
 * Mean over the rows of (b − a) / max(a, b), where a is the distance 1 − cosine to the own centroid and b to the nearest
 * other one (Hruschka, de Castro & Campello 2004): the silhouette without comparing every two rows. 0 for one cluster.
 */
export function simplifiedSilhouette(
  matrix: Matrix,
  { assignments, cosines, centroids }: Clustering,
): number {
  if (centroids.rows < 2) return 0;
  let sum = 0;
  for (let row = 0; row < matrix.rows; row++) {
    let nearest = Number.NEGATIVE_INFINITY;
    for (let cluster = 0; cluster < centroids.rows; cluster++) {
      if (cluster === assignments[row]) continue;
      nearest = Math.max(nearest, dotOf(matrix, row, centroids.vectors, cluster * matrix.dim));
    }
    const [own, other] = [Math.max(0, 1 - cosines[row]!), Math.max(0, 1 - nearest)];
    const larger = Math.max(own, other);
    sum += larger === 0 ? 0 : (other - own) / larger;
  }
  return sum / matrix.rows;
}

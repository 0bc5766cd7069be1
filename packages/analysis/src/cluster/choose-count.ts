/** Chooses the number of clusters by the silhouette, for `embedmill cluster --k auto`. */

import { randomFrom } from '../random.ts';
import { kMeansSteps } from './k-means.ts';
import { dotOf, pickRows } from './matrix.ts';
import type { Steps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';

/** A number of clusters and its score. */
export interface CountScore {
  clusters: number;
  /** Mean simplified silhouette, −1 to 1; larger is better. */
  silhouette: number;
}

/** Maximum rows of the sample on which the numbers are tried. */
const SAMPLE_ROWS = 8_000;

/** Numbers of clusters to try, if there are enough rows. */
const CANDIDATES = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128] as const;

/** Minimum average rows per cluster. */
const MIN_ROWS_PER_CLUSTER = 8;

/** Options of a trial clustering; less work than for a result, because scores are only compared. */
const TRIAL = { attempts: 2, batches: 50 } as const;

/**
 * Scores numbers of clusters on a sample, in ascending order.
 * @param seed random seed of the sample and the clusterings
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

/** The number with the maximum silhouette, the smallest in a tie; 1 if there are no scores. */
export function bestCount(scores: readonly CountScore[]): number {
  let best: CountScore | null = null;
  for (const score of scores) if (best === null || score.silhouette > best.silhouette) best = score;
  return best?.clusters ?? 1;
}

/**
 * Mean over the rows of (b − a) / max(a, b), where a is the distance (1 − cosine) to the centroid of the row
 * and b to the nearest other centroid (Hruschka, de Castro & Campello 2004): a silhouette without comparing
 * all pairs of rows. 0 for one cluster.
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

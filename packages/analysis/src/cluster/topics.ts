/**
 * Topics of texts: clusters that find their own number, and groups of similar topics.
 *
 * 1. Up to 4,000 rows are drawn, and each is replaced by the mean of itself and its nearest neighbours.
 * 2. Ward's method makes a tree of them, which can be cut into any number of clusters.
 * 3. The number of topics is the one whose clusters are separated by gaps, if there are gaps; otherwise the one with
 *    the largest modularity of the graph of nearest neighbours. A lower resolution gives the groups.
 * 4. The centroids move to the means of all their rows (or of a larger sample), and all rows are assigned.
 *
 * The same rows, number and seed give the same topics, bit for bit. Decision: docs/decisions/0220.
 */

import { type Random, randomFrom } from '../random.ts';
import {
  type Assignment,
  assignSteps,
  bySize,
  dropEmpty,
  meansOf,
  moveToMeans,
  simplifiedSilhouette,
} from './centroids.ts';
import { kMeansSteps } from './k-means.ts';
import { pickRows } from './matrix.ts';
import { distanceSteps, linkShares, nearestNeighbours, smoothRows } from './neighbour-graph.ts';
import { type Steps, scaledSteps } from './steps.ts';
import type { Clustering, Matrix } from './types.ts';
import { cutTree, type Tree, wardSteps } from './ward.ts';

/** Maximum rows of the tree; their distances take 64 MB. */
const TREE_ROWS = 4_000;

/** Maximum rows from which the final centroids are computed. */
const CENTROID_ROWS = 20_000;

/** Maximum rows on which gaps are searched. */
const SILHOUETTE_ROWS = 2_000;

/** Maximum neighbours of a row; fewer for less than 1,600 rows, and none for less than 16. */
const MAX_NEIGHBOURS = 10;

/** Minimum average rows per topic, if the number is chosen: without and with gaps between topics. */
const MIN_ROWS_PER_TOPIC = 16;
const MIN_ROWS_PER_GAP_TOPIC = 8;

/** Maximum number of topics that the tree of a sample gives; more come from k-means. */
const MAX_TREE_TOPICS = 500;

/** Maximum number of topics separated by gaps. */
const MAX_GAP_TOPICS = 128;

/** Silhouette from which clusters count as separated: "a strong structure" (Kaufman & Rousseeuw 1990). */
const MIN_GAP_SILHOUETTE = 0.71;

/** Resolution of the modularity for topics and for groups: the larger, the more. Measured in docs/decisions/0220. */
const RESOLUTION = { topics: 3, groups: 0.25 } as const;

/** Options of {@link topicSteps}. */
export interface TopicOptions {
  /** Number of topics; `null` to choose it. */
  readonly topics: number | null;
  /** Random seed of the samples. Default 1. */
  readonly seed?: number;
}

/** How the number of topics was found. */
export type TopicChoice = 'given' | 'gaps' | 'neighbours';

/** Topics and their groups. */
export interface Topics {
  /** The topics, largest first. */
  readonly clustering: Clustering;
  /** The group of each topic, largest first; `null` if there are none, because the topics are few or all different. */
  readonly groups: Int32Array | null;
  readonly choice: TopicChoice;
}

/**
 * Finds topics in steps that yield the share of the work done, 0 to 1; `finish` runs all steps.
 * @throws {RangeError} if `topics` is not an integer from 1 to the number of rows
 */
export function* topicSteps(matrix: Matrix, { topics, seed = 1 }: TopicOptions): Steps<Topics> {
  if (topics !== null && !(Number.isInteger(topics) && topics >= 1 && topics <= matrix.rows)) {
    throw new RangeError(
      `cannot make ${topics} topics of ${matrix.rows} rows; expected a whole number from 1 to ${matrix.rows}`,
    );
  }
  if (topics !== null && topics > MAX_TREE_TOPICS && matrix.rows > TREE_ROWS) {
    const clustering = yield* kMeansSteps(matrix, topics, { seed });
    return { clustering, groups: null, choice: 'given' };
  }
  const random = randomFrom(seed);
  const sample = drawRows(matrix, TREE_ROWS, random);
  const { tree, neighbours } = yield* scaledSteps(treeSteps(sample), 0, 0.7);
  const levels = yield* scaledSteps(levelSteps(sample, tree, neighbours, topics), 0.7, 0.75);
  const cut = cutTree(tree, levels.topics);
  const centroids = meansOf(sample, cut, levels.topics);
  const larger = drawRows(matrix, CENTROID_ROWS, random);
  moveToMeans(larger, centroids, yield* scaledSteps(assignSteps(larger, centroids), 0.75, 0.85));
  const assigned = yield* assignSteps(matrix, centroids, 0.85);
  return {
    clustering: dropEmpty(centroids, assigned),
    groups: levels.groups === null ? null : groupTopics(cut, cutTree(tree, levels.groups), assigned),
    choice: levels.choice,
  };
}

/** Draws up to `rows` rows, in their order; all of them if there are not more. */
function drawRows(matrix: Matrix, rows: number, random: Random): Matrix {
  if (rows >= matrix.rows) return matrix;
  const numbers = new Set<number>();
  while (numbers.size < rows) numbers.add(Math.floor(random.next() * matrix.rows));
  return pickRows(
    matrix,
    [...numbers].sort((a, b) => a - b),
  );
}

function* treeSteps(sample: Matrix): Steps<{ tree: Tree; neighbours: Int32Array }> {
  const { rows } = sample;
  const count = Math.min(MAX_NEIGHBOURS, Math.floor(Math.sqrt(rows) / 4));
  const distances = new Float32Array(rows * rows);
  yield* scaledSteps(distanceSteps(sample, distances), 0, 0.4);
  const neighbours = nearestNeighbours(rows, distances, count);
  yield* scaledSteps(distanceSteps(smoothRows(sample, neighbours), distances), 0.4, 0.8);
  const tree = yield* scaledSteps(wardSteps(rows, distances), 0.8, 1);
  return { tree, neighbours };
}

/** Chooses the numbers of topics and groups. */
function* levelSteps(
  sample: Matrix,
  tree: Tree,
  neighbours: Int32Array,
  given: number | null,
): Steps<{ topics: number; groups: number | null; choice: TopicChoice }> {
  const max = Math.max(1, Math.floor(sample.rows / MIN_ROWS_PER_TOPIC));
  const best = { topics: { count: 1, score: 0 }, groups: { count: 1, score: 0 } };
  for (let count = 1; count <= max && neighbours.length > 0; count++) {
    const { inside, expected } = linkShares(neighbours, cutTree(tree, count), count);
    for (const level of ['topics', 'groups'] as const) {
      const score = inside - RESOLUTION[level] * expected;
      if (count === 1 || score > best[level].score) best[level] = { count, score };
    }
  }
  const gaps = given === null ? yield* gapSteps(sample, tree) : null;
  const topics = given ?? gaps ?? best.topics.count;
  const groups = best.groups.count;
  return {
    topics,
    // A second level of nearly as many parts would not say more than the first.
    groups: groups > 1 && groups <= topics / 2 ? groups : null,
    choice: given !== null ? 'given' : gaps !== null ? 'gaps' : 'neighbours',
  };
}

/** The number of clusters with the largest silhouette; `null` if that is too small for gaps between them. */
function* gapSteps(sample: Matrix, tree: Tree): Steps<number | null> {
  const max = Math.min(MAX_GAP_TOPICS, sample.rows / MIN_ROWS_PER_GAP_TOPIC);
  const step = Math.max(1, sample.rows / SILHOUETTE_ROWS);
  const rows = Array.from({ length: Math.min(sample.rows, SILHOUETTE_ROWS) }, (_, n) => Math.floor(n * step));
  const part = pickRows(sample, rows);
  let best: { count: number; silhouette: number } | null = null;
  for (let count = 2; count <= max; count += count < 32 ? 1 : count / 8) {
    const whole = Math.floor(count);
    const cut = cutTree(tree, whole);
    const silhouette = simplifiedSilhouette(
      part,
      Int32Array.from(rows, (row) => cut[row]!),
      meansOf(sample, cut, whole),
    );
    if (best === null || silhouette > best.silhouette) best = { count: whole, silhouette };
    yield count / max;
  }
  return best !== null && best.silhouette >= MIN_GAP_SILHOUETTE ? best.count : null;
}

/** The group of each topic with rows, in the order of the topics; groups are numbered by their rows, largest first. */
function groupTopics(cut: Int32Array, groupOfPoint: Int32Array, { assignments }: Assignment): Int32Array {
  // The cuts are of the same tree, so all points of a topic are in one group.
  const groupOf = new Map<number, number>();
  for (const [point, topic] of cut.entries()) groupOf.set(topic, groupOfPoint[point]!);
  const groups = 1 + groupOfPoint.reduce((max, group) => Math.max(max, group), 0);
  const order = bySize(
    assignments.map((topic) => groupOf.get(topic)!),
    groups,
  );
  return Int32Array.from(bySize(assignments, groupOf.size), (topic) => order.indexOf(groupOf.get(topic)!));
}

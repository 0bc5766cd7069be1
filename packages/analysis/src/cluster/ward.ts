/** Ward's hierarchical clustering of a few thousand points: one tree, which can be cut into any number of clusters. */

import type { Steps } from './steps.ts';

/** Merges between two steps. */
const STEP_MERGES = 64;

/** A merge of the clusters that contain the points `a` and `b`. */
export interface Merge {
  readonly a: number;
  readonly b: number;
  /** Distance of the two clusters: by how much merging them increases the squared error, but for a factor. */
  readonly height: number;
}

/** All merges of a set of points, lowest first. */
export interface Tree {
  readonly points: number;
  readonly merges: readonly Merge[];
}

/**
 * Builds the tree with the nearest-neighbour chain algorithm (Murtagh 1983), in time that grows with the square of
 * the points. Yields the share of the work done, 0 to 1.
 * @param distances squared Euclidean distances, points × points, symmetric; overwritten
 */
export function* wardSteps(points: number, distances: Float32Array): Steps<Tree> {
  const sizes = new Float64Array(points).fill(1);
  const active = Array.from({ length: points }, (_, point) => point);
  const chain: number[] = [];
  const merges: Merge[] = [];
  while (merges.length < points - 1) {
    if (chain.length === 0) chain.push(active[0]!);
    const last = chain.at(-1)!;
    const before = chain.at(-2);
    const { nearest, distance } = nearestOf(last, before, active, distances, points);
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [a, b] = [Math.min(last, nearest), Math.max(last, nearest)];
    merges.push({ a, b, height: distance });
    active.splice(active.indexOf(b), 1);
    for (const other of active) {
      if (other === a) continue;
      const merged = wardDistance(distances, points, sizes, { a, b, other, distance });
      distances[a * points + other] = merged;
      distances[other * points + a] = merged;
    }
    sizes[a]! += sizes[b]!;
    if (merges.length % STEP_MERGES === 0) yield merges.length / points;
  }
  return { points, merges: merges.sort((left, right) => left.height - right.height) };
}

/** The nearest active point; the one before in the chain wins ties, so that the chain ends. */
function nearestOf(
  point: number,
  before: number | undefined,
  active: readonly number[],
  distances: Float32Array,
  points: number,
): { nearest: number; distance: number } {
  const row = point * points;
  let nearest = before ?? -1;
  let distance = before === undefined ? Number.POSITIVE_INFINITY : distances[row + before]!;
  for (const other of active) {
    if (other === point || distances[row + other]! >= distance) continue;
    distance = distances[row + other]!;
    nearest = other;
  }
  return { nearest, distance };
}

/** Distance of `other` to the union of `a` and `b` (Lance & Williams 1967). */
function wardDistance(
  distances: Float32Array,
  points: number,
  sizes: Float64Array,
  { a, b, other, distance }: { a: number; b: number; other: number; distance: number },
): number {
  const [sizeA, sizeB, size] = [sizes[a]!, sizes[b]!, sizes[other]!];
  const sum =
    (sizeA + size) * distances[a * points + other]! +
    (sizeB + size) * distances[b * points + other]! -
    size * distance;
  return sum / (sizeA + sizeB + size);
}

/**
 * Cuts a tree: the cluster of each point, 0 to clusters − 1, in the order of their first points.
 * @param clusters 1 to the number of points
 */
export function cutTree({ points, merges }: Tree, clusters: number): Int32Array {
  const parents = Int32Array.from({ length: points }, (_, point) => point);
  const rootOf = (point: number): number => {
    let at = point;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  };
  for (const { a, b } of merges.slice(0, points - clusters)) parents[rootOf(b)] = rootOf(a);
  const numbers = new Map<number, number>();
  return parents.map((_, point) => {
    const root = rootOf(point);
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  });
}

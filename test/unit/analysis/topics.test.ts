/** Tests topics, their number and their groups. */

import { finish, type Matrix, topicSteps } from '@embedmill/analysis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkShares, nearestNeighbours } from '../../../packages/analysis/src/cluster/neighbour-graph.ts';
import { cutTree, wardSteps } from '../../../packages/analysis/src/cluster/ward.ts';
import { bunches } from './bunches.ts';

/** Squared distances of points on a line. */
function distancesOf(points: readonly number[]): Float32Array {
  return Float32Array.from(points.flatMap((a) => points.map((b) => (a - b) ** 2)));
}

describe('the tree of Ward', () => {
  test('merges where the squared error grows least, and can be cut anywhere', () => {
    const tree = finish(wardSteps(5, distancesOf([0, 1, 10, 12, 30])));
    // For clusters of a and b points: 2ab / (a + b) times the squared distance of their means.
    expect(tree.merges.map(({ height }) => height)).toEqual([
      1,
      4,
      expect.closeTo(2 * 10.5 ** 2, 3),
      expect.closeTo(1.6 * 24.25 ** 2, 2),
    ]);
    expect([...cutTree(tree, 5)]).toEqual([0, 1, 2, 3, 4]);
    expect([...cutTree(tree, 3)]).toEqual([0, 0, 1, 1, 2]);
    expect([...cutTree(tree, 1)]).toEqual([0, 0, 0, 0, 0]);
  });

  test('has nested cuts of every size for any points', () => {
    const points = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(points, (given) => {
        const tree = finish(wardSteps(given.length, distancesOf(given)));
        for (let clusters = 1; clusters <= given.length; clusters++) {
          const cut = cutTree(tree, clusters);
          expect(new Set(cut).size).toBe(clusters);
          const finer = cutTree(tree, Math.min(given.length, clusters + 1));
          const coarse = new Map<number, number>();
          for (const [point, cluster] of finer.entries()) {
            expect(coarse.get(cluster) ?? cut[point]).toBe(cut[point]);
            coarse.set(cluster, cut[point]!);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

test('links within clusters are compared with links at random', () => {
  const neighbours = nearestNeighbours(4, distancesOf([0, 1, 10, 11]), 1);
  expect([...neighbours]).toEqual([1, 0, 3, 2]);
  expect(linkShares(neighbours, Int32Array.of(0, 0, 1, 1), 2)).toEqual({ inside: 1, expected: 0.5 });
  expect(linkShares(neighbours, Int32Array.of(0, 1, 0, 1), 2)).toEqual({ inside: 0, expected: 0.5 });
});

/** Topics of generated rows, each with the directions they come from. */
function directionsOf(assignments: Int32Array, directions: number): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const [row, topic] of assignments.entries()) {
    found.set(topic, (found.get(topic) ?? new Set()).add(row % directions));
  }
  return found;
}

/** Three themes of four topics each: rows of a topic share two axes, topics of a theme one of them. */
function themes(rows: number): Matrix {
  const made = bunches(12, rows, 24, 1.2);
  for (let row = 0; row < rows; row++) {
    const vector = made.vectors.subarray(row * 24, (row + 1) * 24);
    vector[12 + Math.floor((row % 12) / 4)]! += 2;
    const length = Math.hypot(...vector);
    for (let i = 0; i < 24; i++) vector[i]! /= length;
  }
  return made;
}

describe('topics', () => {
  test.each([2, 3, 6, 10])('are found for %d separate groups of rows', (directions) => {
    const { clustering, groups, choice } = finish(
      topicSteps(bunches(directions, 250, 12, 0.3), { topics: null }),
    );
    expect({ topics: clustering.centroids.rows, groups, choice }).toEqual({
      topics: directions,
      groups: null,
      choice: 'gaps',
    });
    for (const own of directionsOf(clustering.assignments, directions).values()) expect(own.size).toBe(1);
  });

  test('have groups of similar ones, numbered by size', () => {
    const { clustering, groups } = finish(topicSteps(themes(600), { topics: 12 }));
    expect(clustering.centroids.rows).toBe(12);
    const themesOf = new Map<number, Set<number>>();
    for (const [topic, directions] of directionsOf(clustering.assignments, 12)) {
      const group = groups![topic]!;
      const theme = themesOf.get(group) ?? new Set();
      for (const direction of directions) theme.add(Math.floor(direction / 4));
      themesOf.set(group, theme);
    }
    expect([...themesOf.keys()].sort()).toEqual([0, 1, 2]);
    for (const theme of themesOf.values()) expect(theme.size).toBe(1);
  });

  test('of more rows than the sample cover all rows, the same again', () => {
    const rows = bunches(5, 4_500, 8, 0.4);
    const [first, again] = [1, 1].map((seed) => finish(topicSteps(rows, { topics: null, seed })));
    expect(first!.clustering.centroids.rows).toBe(5);
    expect(first!.clustering.assignments).toHaveLength(4_500);
    expect(again).toEqual(first);
  });

  test('are one for few or equal rows', () => {
    expect(finish(topicSteps(bunches(1, 1, 4, 0), { topics: null })).clustering.centroids.rows).toBe(1);
    expect(finish(topicSteps(bunches(2, 5, 4, 0.1), { topics: null })).clustering.centroids.rows).toBe(1);
    expect(finish(topicSteps(bunches(1, 40, 4, 0), { topics: 3 })).clustering.centroids.rows).toBe(1);
  });

  test.each([0, 1.5, 6])('cannot be %d of 5 rows', (topics) => {
    expect(() => finish(topicSteps(bunches(2, 5, 4, 0.1), { topics }))).toThrow(
      `cannot make ${topics} topics of 5 rows; expected a whole number from 1 to 5`,
    );
  });

  test('assign each row to its nearest centroid, for any rows and number', () => {
    const sizes = fc.record({
      directions: fc.integer({ min: 1, max: 6 }),
      rows: fc.integer({ min: 6, max: 60 }),
      topics: fc.integer({ min: 1, max: 6 }),
      seed: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(sizes, ({ directions, rows, topics, seed }) => {
        const matrix = bunches(directions, rows, 8, 1.5, seed);
        const { clustering } = finish(topicSteps(matrix, { topics }));
        const { assignments, centroids } = clustering;
        expect(centroids.rows).toBeLessThanOrEqual(topics);
        const counts = new Array<number>(centroids.rows).fill(0);
        for (const [row, topic] of assignments.entries()) {
          counts[topic]! += 1;
          const cosines = Array.from({ length: centroids.rows }, (_, n) => {
            let sum = 0;
            for (let i = 0; i < 8; i++) sum += matrix.vectors[row * 8 + i]! * centroids.vectors[n * 8 + i]!;
            return sum;
          });
          expect(cosines[topic]).toBeCloseTo(Math.max(...cosines), 5);
        }
        expect(counts).toEqual([...counts].sort((a, b) => b - a));
        expect(counts.at(-1)).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  test('are found in steps that report growing progress', () => {
    const shares = [...topicSteps(bunches(3, 300, 4, 0.3), { topics: null })];
    expect(shares.length).toBeGreaterThan(20);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
  });
});

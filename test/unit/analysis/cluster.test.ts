/** Tests the number of clusters, representative rows, key terms and duplicates. */

import {
  bestCount,
  duplicateSteps,
  finish,
  KeyTerms,
  kMeans,
  type Matrix,
  randomFrom,
  representativeRows,
  scoreCountsSteps,
} from '@embedmill/analysis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Rows of length 1: `directions` axes in turn, each off its axis by at most `spread` a float. */
function bunches(directions: number, rows: number, dim: number, spread: number, seed = 3): Matrix {
  const random = randomFrom(seed);
  const vectors = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim);
    vector[row % directions] = 1;
    for (let i = 0; i < dim; i++) vector[i]! += (random.next() - 0.5) * spread;
    const length = Math.hypot(...vector);
    for (let i = 0; i < dim; i++) vector[i]! /= length;
  }
  return { rows, dim, vectors };
}

describe('the number of clusters', () => {
  test.each([3, 6, 10])('is found for %d separate groups', (directions) => {
    const scores = finish(scoreCountsSteps(bunches(directions, 250, 12, 0.3), 1));
    expect(bestCount(scores)).toBe(directions);
    expect(scores.map(({ clusters }) => clusters)).toEqual(
      scores.map(({ clusters }) => clusters).sort((a, b) => a - b),
    );
  });

  test('is 1 for too few rows', () => {
    expect(bestCount(finish(scoreCountsSteps(bunches(2, 5, 4, 0.1), 1)))).toBe(1);
  });

  test('is searched in steps that report progress', () => {
    const shares: number[] = [];
    const steps = scoreCountsSteps(bunches(3, 200, 4, 0.3), 1);
    for (let step = steps.next(); !step.done; step = steps.next()) shares.push(step.value);
    expect(shares.length).toBeGreaterThan(50);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
  });
});

describe('the representative rows of a cluster', () => {
  test('are nearest to its centroid', () => {
    const rows = bunches(2, 40, 3, 0.9);
    const clustering = kMeans(rows, 2);
    for (const [cluster, shown] of representativeRows(rows, clustering, 3).entries()) {
      const own = [...clustering.cosines.keys()].filter((row) => clustering.assignments[row] === cluster);
      const nearest = own.sort((a, b) => clustering.cosines[b]! - clustering.cosines[a]!);
      expect(shown[0]).toBe(nearest[0]);
      expect(shown.length).toBeLessThanOrEqual(3);
      expect(shown).toEqual([...shown].sort((a, b) => nearest.indexOf(a) - nearest.indexOf(b)));
    }
  });

  test('do not repeat each other', () => {
    // Two rows that are the same, three that nearly are, and two others.
    const angles = [0, 0, 1, 2, 30, 60].map((degrees) => (degrees * Math.PI) / 180);
    const vectors = Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
    const rows: Matrix = { rows: 6, dim: 2, vectors };
    const centroids: Matrix = { rows: 1, dim: 2, vectors: Float32Array.of(1, 0) };
    const cosines = Float32Array.from(angles, (angle) => Math.cos(angle));
    const clustering = { assignments: new Int32Array(6), centroids, cosines };
    expect(representativeRows(rows, clustering, 3)).toEqual([[0, 4, 5]]);
    expect(
      representativeRows({ ...rows, rows: 4 }, { ...clustering, assignments: new Int32Array(4) }, 3),
    ).toEqual([[0]]);
  });
});

describe('key terms', () => {
  test('are frequent in the cluster and rare elsewhere', () => {
    const terms = new KeyTerms(2, new Set(['the', 'and']));
    for (const text of ['The kettle and the cord', 'a kettle boils', 'water']) terms.add(0, text);
    for (const text of ['The towel and the colour', 'a soft towel', 'water']) terms.add(1, text);
    const [kettles, towels] = terms.top(2);
    expect(kettles).toEqual(['kettle', 'boils']);
    expect(towels![0]).toBe('towel');
    // Water is in both, so that it comes after words that are as frequent and in one only.
    expect(terms.top(9)[0]!.indexOf('water')).toBeGreaterThan(terms.top(9)[0]!.indexOf('cord'));
  });

  test('count a plural as its singular, under the more frequent form', () => {
    const terms = new KeyTerms(2, new Set());
    for (const text of ['battery', 'batteries', 'batteries', "the battery's lens", 'glass'])
      terms.add(0, text);
    terms.add(1, 'towel boxes box');
    expect(terms.top(2)[0]).toEqual(['battery']);
    expect(terms.top(2)[1]).toEqual(['box', 'towel']);
  });

  test('occur in at least two rows of a larger cluster, and are not contractions', () => {
    const terms = new KeyTerms(1, new Set());
    for (const text of ['kettle', 'kettle', "don't boil", 'they’ve cords', 'Steam, steam, steam'])
      terms.add(0, text);
    expect(terms.top(9)).toEqual([['kettle']]);
  });

  test('are words even in scripts without spaces', () => {
    const terms = new KeyTerms(2, new Set());
    terms.add(0, '这个水壶很好，水壶烧水很快');
    terms.add(1, 'a towel');
    expect(terms.top(1)).toEqual([['水壶'], ['towel']]);
  });
});

describe('duplicates', () => {
  /** The groups by definition: compares all pairs, then follows all links. */
  function slowGroups({ rows, dim, vectors }: Matrix, threshold: number): number[] {
    const groups = Array.from({ length: rows }, (_, row) => row);
    const dot = (a: number, b: number) => {
      let sum = 0;
      for (let i = 0; i < dim; i++) sum += vectors[a * dim + i]! * vectors[b * dim + i]!;
      return sum;
    };
    for (let changed = true; changed; ) {
      changed = false;
      for (let a = 0; a < rows; a++) {
        for (let b = 0; b < a; b++) {
          if (groups[a] === groups[b] || dot(a, b) < threshold) continue;
          const [from, to] = [Math.max(groups[a]!, groups[b]!), Math.min(groups[a]!, groups[b]!)];
          for (let row = 0; row < rows; row++) if (groups[row] === from) groups[row] = to;
          changed = true;
        }
      }
    }
    return groups;
  }

  test('match the definition for any threshold and dimension', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 64, 100),
        fc.constantFrom(0.3, 0.8, 0.95),
        fc.integer({ min: 1, max: 1000 }),
        (dim, threshold, seed) => {
          const rows = bunches(Math.min(dim, 20), 90, dim, 2.5 / Math.sqrt(dim), seed);
          rows.vectors.copyWithin(50 * dim, 10 * dim, 12 * dim); // rows 50 and 51 equal 10 and 11
          expect([...finish(duplicateSteps(rows, threshold))]).toEqual(slowGroups(rows, threshold));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('are found across blocks', () => {
    const rows = bunches(32, 700, 96, 0.02);
    const groups = finish(duplicateSteps(rows, 0.9));
    expect([...groups]).toEqual(Array.from({ length: 700 }, (_, row) => row % 32));
  });
});

/** Tests the evaluation metrics and k-means against values calculated by hand. */

import {
  compareClasses,
  compareWithLabels,
  kMeans,
  type Matrix,
  ndcg,
  nearestLabel,
  pearson,
  randomFrom,
  recall,
  spearman,
} from '@embedmill/analysis';
import { describe, expect, test } from 'vitest';

describe('correlations', () => {
  test('Pearson measures how straight a line is', () => {
    expect(pearson([1, 2, 3], [10, 20, 30])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    // Deviations −1.5 −0.5 0.5 1.5 and −1 1 −1 1: 2 / √(5 · 4)
    expect(pearson([1, 2, 3, 4], [1, 3, 1, 3])).toBeCloseTo(2 / Math.sqrt(20), 12);
  });

  test('Spearman uses ranks, which equal values share', () => {
    expect(spearman([1, 10, 100], [2, 3, 4])).toBeCloseTo(1, 12);
    // Ranks 0 1.5 1.5 3 and 0 1 2 3: deviations give 4.5 / √(4.5 · 5)
    expect(spearman([1, 5, 5, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });
});

describe('a ranking', () => {
  const relevances = new Map([
    ['a', 2],
    ['b', 1],
    ['c', 1],
  ]);

  test('has an nDCG', () => {
    // Gains 1, 0, 2 at log2 2, log2 3, log2 4; at best 2, 1, 1.
    const ideal = 2 + 1 / Math.log2(3) + 1 / 2;
    expect(ndcg(['b', 'x', 'a', 'c'], relevances, 3)).toBeCloseTo((1 + 2 / 2) / ideal, 12);
    expect(ndcg(['a', 'b', 'c'], relevances, 10)).toBeCloseTo(1, 12);
  });

  test('has a recall', () => {
    expect(recall(['b', 'x', 'a', 'c'], relevances, 3)).toBeCloseTo(2 / 3, 12);
    expect(recall(['x'], relevances, 10)).toBe(0);
  });

  test('is 0 if no document is relevant', () => {
    expect(ndcg(['a'], new Map([['a', 0]]), 10)).toBe(0);
    expect(recall(['a'], new Map(), 10)).toBe(0);
  });
});

describe('clusters beside labels', () => {
  test('agree fully for any numbering of the clusters', () => {
    expect(compareWithLabels(['x', 'x', 'y'], [5, 5, 2])).toEqual({
      homogeneity: 1,
      completeness: 1,
      vMeasure: 1,
    });
  });

  test('are homogeneous but incomplete when a label is split', () => {
    // H(cluster) = 1.5 ln 2, of which ln 2 is the label: completeness 2/3, so V = 2 · (2/3) / (5/3) = 0.8.
    const { homogeneity, completeness, vMeasure } = compareWithLabels(['x', 'x', 'y', 'y'], [0, 1, 2, 2]);
    expect([homogeneity, completeness, vMeasure]).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(2 / 3, 12),
      expect.closeTo(0.8, 12),
    ]);
  });

  test('score 0 if they are independent of the labels', () => {
    expect(compareWithLabels(['x', 'x', 'y', 'y'], [0, 1, 0, 1]).vMeasure).toBeCloseTo(0, 12);
    expect(compareWithLabels(['x', 'y'], [0, 0])).toMatchObject({
      homogeneity: 0,
      completeness: 1,
      vMeasure: 0,
    });
  });
});

describe('the nearest neighbours', () => {
  const known = {
    rows: 4,
    dim: 2,
    vectors: Float32Array.from([1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1]),
    labels: ['east', 'north', 'north', 'north'],
  };

  test('vote with their cosines', () => {
    expect(nearestLabel(Float32Array.of(1, 0), known, 1)).toBe('east');
    // 1 for east, 0.8 + 0.6 for north.
    expect(nearestLabel(Float32Array.of(1, 0), known, 3)).toBe('north');
  });

  test('classify with an accuracy and a mean F1', () => {
    // a: 1 right of 1 found and 2 true, F1 2/3; b: 1 of 2 and 1, F1 2/3.
    const { accuracy, macroF1 } = compareClasses(['a', 'b', 'b'], ['a', 'a', 'b']);
    expect(accuracy).toBeCloseTo(2 / 3, 12);
    expect(macroF1).toBeCloseTo(2 / 3, 12);
    // a: F1 2/3; c is never found: 0.
    expect(compareClasses(['a', 'a'], ['a', 'c'])).toEqual({
      accuracy: 0.5,
      macroF1: expect.closeTo((2 / 3 + 0) / 2, 12),
    });
  });
});

describe('k-means', () => {
  /** Rows around as many directions, each `spread` away from it at most. */
  function bunches(
    directions: number,
    rowsEach: number,
    dim: number,
    spread: number,
  ): Matrix & { truth: string[] } {
    const random = randomFrom(3);
    const rows = directions * rowsEach;
    const vectors = new Float32Array(rows * dim);
    const truth: string[] = [];
    for (let row = 0; row < rows; row++) {
      const vector = vectors.subarray(row * dim, (row + 1) * dim);
      vector[row % directions] = 1;
      for (let i = 0; i < dim; i++) vector[i]! += (random.next() - 0.5) * spread;
      const length = Math.hypot(...vector);
      for (let i = 0; i < dim; i++) vector[i]! /= length;
      truth.push(`bunch ${row % directions}`);
    }
    return { rows, dim, vectors, truth };
  }

  test('finds separate groups', () => {
    const rows = bunches(6, 200, 16, 0.4);
    const { assignments, centroids, spread } = kMeans(rows, 6);
    expect(compareWithLabels(rows.truth, assignments).vMeasure).toBeCloseTo(1, 6);
    expect(centroids.rows).toBe(6);
    expect(spread).toBeLessThan(0.12);
  });

  test('returns the same clusters for a seed, largest first', () => {
    const rows = bunches(5, 60, 8, 1.5);
    const first = kMeans(rows, 7, { seed: 4 });
    expect(kMeans(rows, 7, { seed: 4 })).toEqual(first);
    const sizes = Array.from(
      { length: first.centroids.rows },
      (_, cluster) => first.assignments.filter((each) => each === cluster).length,
    );
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  test('drops clusters without rows if rows are equal', () => {
    const vectors = Float32Array.from([1, 0, 1, 0, 1, 0, 0, 1]);
    expect(kMeans({ rows: 4, dim: 2, vectors }, 4).centroids.rows).toBe(2);
  });

  test.each([0, 5, 1.5])('rejects %d clusters of 4 rows', (clusters) => {
    const rows = bunches(2, 2, 4, 0.1);
    expect(() => kMeans(rows, clusters)).toThrow(`${clusters} clusters of 4 rows`);
  });
});

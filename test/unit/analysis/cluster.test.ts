/** Tests representative rows and duplicates. */

import { duplicateSteps, finish, kMeans, type Matrix, representativeRows } from '@embedmill/analysis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bunches } from './bunches.ts';

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

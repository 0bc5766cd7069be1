/** Exact search against the plain definition: sort all rows by their cosine. */

import type { VectorRows } from '@embedmill/contract';
import { dotRow, Nearest, scanRows, searchRows } from '@embedmill/core/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRows, sliceAt } from '../sinks/vectors.ts';

/** Rows of two floats with ids a, b, c …; null is a row without a vector. */
function rowsOf(...points: ([number, number] | null)[]): VectorRows {
  return {
    ids: points.map((_, n) => String.fromCharCode(97 + n)),
    dim: 2,
    vectors: Float32Array.from(points.flatMap((point) => point ?? [0, 0])),
    present: Uint8Array.from(points, (point) => (point === null ? 0 : 1)),
  };
}

/** The dot products of all rows, summed one by one. */
function allScores({ ids, dim, vectors }: VectorRows, query: Float32Array): number[] {
  return ids.map((_, row) =>
    vectors.subarray(row * dim, (row + 1) * dim).reduce((sum, value, i) => sum + value * query[i]!, 0),
  );
}

describe('a search', () => {
  test('gives the nearest first, with id, row and score', async () => {
    const rows = rowsOf([1, 0], [0, 1], [0.6, 0.8]);
    expect(await searchRows([rows], Float32Array.of(1, 0), 2)).toEqual([
      { row: 0, id: 'a', score: 1 },
      { row: 2, id: 'c', score: expect.closeTo(0.6, 6) },
    ]);
  });

  test('leaves out rows without a vector, even where all others point away', async () => {
    const hits = await searchRows([rowsOf(null, [-1, 0], null)], Float32Array.of(1, 0), 3);
    expect(hits).toEqual([{ row: 1, id: 'b', score: -1 }]);
  });

  test('puts the earlier of two equal rows first, also across slices', async () => {
    const same = rowsOf([0.6, 0.8], [0.6, 0.8], [0.6, 0.8]);
    const hits = await searchRows([same, same], Float32Array.of(0, 1), 4);
    expect(hits.map(({ row }) => row)).toEqual([0, 1, 2, 3]);
  });

  test('finds in slices what a sort of all rows finds', async () => {
    const rows = makeRows(300, 7, { absentEvery: 9 });
    const query = makeRows(1, 7, { seed: 99 }).vectors;
    const scores = allScores(rows, query);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 320 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }),
        async (count, cuts) => {
          const slices = sliceAt(
            rows,
            cuts.sort((a, b) => a - b),
          );
          const expected = rows.ids
            .map((_, row) => row)
            .filter((row) => rows.present[row] === 1)
            .sort((a, b) => scores[b]! - scores[a]!)
            .slice(0, count);
          expect((await searchRows(slices, query, count)).map(({ row }) => row)).toEqual(expected);
        },
      ),
    );
  });

  test('refuses a query of another length', async () => {
    await expect(searchRows([rowsOf([1, 0])], Float32Array.of(1, 0, 0), 1)).rejects.toMatchObject({
      code: 'wrong-dimension',
      message: 'the query has 3 floats; expected 2, the dimension of the searched rows',
    });
  });

  test.each([0, -1, 1.5, Number.NaN])('cannot be asked for %d hits', (count) => {
    expect(() => new Nearest(count)).toThrow(`the number of hits is ${count}`);
  });
});

test('a scan goes on where another one stopped', () => {
  const nearest = new Nearest(2);
  scanRows(Float32Array.of(1, 0), rowsOf([0, 1], [1, 0]), 0, nearest);
  scanRows(Float32Array.of(1, 0), rowsOf([0.8, 0.6]), 2, nearest);
  expect(nearest.hits.map(({ row }) => row)).toEqual([1, 2]);
});

test.each([1, 2, 3, 4, 5, 8, 383, 384])('the dot product of %d floats is their sum of products', (dim) => {
  const rows = makeRows(3, dim);
  const query = makeRows(1, dim, { seed: 3 }).vectors;
  expect(dotRow(query, rows.vectors, 2)).toBeCloseTo(allScores(rows, query)[2]!, 12);
});

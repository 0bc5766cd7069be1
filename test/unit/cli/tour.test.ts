import { expect, test } from 'vitest';
import { nearestRows } from '../../../apps/cli/src/tour/nearest.ts';

test('nearestRows finds the rows with the largest cosine, the nearest first', () => {
  const vectors = Float32Array.from([1, 0, 0, 1, 0.6, 0.8, -1, 0]);
  expect(nearestRows(Float32Array.from([0, 1]), vectors, 2)).toEqual([
    { row: 1, cosine: 1 },
    { row: 2, cosine: expect.closeTo(0.8, 6) },
  ]);
});

test('nearestRows gives all rows when there are fewer than asked for', () => {
  expect(nearestRows(Float32Array.from([1, 0]), Float32Array.from([1, 0]), 3)).toHaveLength(1);
});

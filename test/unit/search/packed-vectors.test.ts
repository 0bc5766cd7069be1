/** Tests the scan of 16-bit integers against the exact search. */

import { PackedVectors, type ScoredRow } from '@embedmill/analysis';
import { searchRows } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { makeRows } from '../sinks/vectors.ts';

function scan(packed: PackedVectors, query: Float32Array, count: number, mask: Uint8Array | null = null) {
  const steps = packed.nearest(query, count, mask);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function packedOf(rows: ReturnType<typeof makeRows>): PackedVectors {
  const packed = new PackedVectors(rows.ids.length, rows.dim);
  packed.add(rows);
  return packed;
}

const numbersOf = (rows: readonly ScoredRow[]) => rows.map(({ row }) => row);

describe('packed vectors', () => {
  // 16 numbers per step of the module; more rows than one step of a scan.
  test.each([
    [1, 40],
    [7, 300],
    [16, 40_000],
    [384, 2000],
  ])('of %i numbers give the rows of an exact search and scores near theirs', async (dim, count) => {
    const rows = makeRows(count, dim, { absentEvery: 9 });
    const query = makeRows(1, dim, { seed: 99 }).vectors;
    const exact = await searchRows([rows], query, 10);
    const found = scan(packedOf(rows), query, 10);
    const scores = new Map(found.map(({ row, score }) => [row, score]));
    for (const { row, score } of exact) expect(Math.abs(scores.get(row)! - score)).toBeLessThan(0.0005);
    expect(found.length).toBeLessThanOrEqual(40);
  });

  test('put the earlier of equal rows first and leave out rows outside of the mask', () => {
    const one = makeRows(1, 32).vectors;
    const rows = { ...makeRows(50, 32), vectors: new Float32Array(50 * 32) };
    for (let row = 0; row < 50; row++) rows.vectors.set(one, row * 32);
    const packed = packedOf(rows);
    expect(numbersOf(scan(packed, one, 3)).slice(0, 3)).toEqual([0, 1, 2]);
    const mask = Uint8Array.from({ length: 50 }, (_, row) => Number(row > 46));
    expect(numbersOf(scan(packed, one, 10, mask))).toEqual([47, 48, 49]);
  });

  test('answer two searches whose steps alternate', () => {
    const rows = makeRows(40_000, 16);
    const packed = packedOf(rows);
    const queries = [rows.vectors.slice(0, 16), rows.vectors.slice(16, 32)];
    const alone = queries.map((query) => scan(packed, query, 5));
    const running = queries.map((query) => packed.nearest(query, 5));
    const together: (ScoredRow[] | undefined)[] = [undefined, undefined];
    while (together.includes(undefined)) {
      for (const [n, steps] of running.entries()) {
        const step = steps.next();
        if (step.done && step.value !== undefined) together[n] = step.value;
      }
    }
    expect(together).toEqual(alone);
  });
});

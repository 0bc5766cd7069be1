/** Rows done over time: intervals, merging and clock changes. */

import { describe, expect, it } from 'vitest';
// Internal to `Run`.
import { Pace } from '../../../packages/core/src/runs/pace.ts';

const START = Date.parse('2026-11-23T12:00:00Z');

describe('the pace of a run', () => {
  it('is empty before the first batch', () => {
    expect(new Pace().series()).toEqual({ startedAt: null, intervalMs: 1000, rows: [] });
  });

  it('counts rows in the second in which they were done', () => {
    const pace = new Pace();
    for (const [rows, ms] of [
      [10, 0],
      [5, 999],
      [7, 1000],
      [1, 3500],
    ] as const)
      pace.add(rows, START + ms);
    expect(pace.series()).toEqual({
      startedAt: '2026-11-23T12:00:00.000Z',
      intervalMs: 1000,
      rows: [15, 7, 0, 1],
    });
  });

  it('counts from the start of work, not from the first batch that is done', () => {
    const pace = new Pace();
    pace.start(START);
    expect(pace.series()).toEqual({ startedAt: null, intervalMs: 1000, rows: [] });
    pace.add(8, START + 2500);
    pace.start(START + 2600);
    expect(pace.series()).toEqual({
      startedAt: '2026-11-23T12:00:00.000Z',
      intervalMs: 1000,
      rows: [0, 0, 8],
    });
  });

  it('stays within 240 intervals however long the run takes, and loses no row', () => {
    const pace = new Pace();
    for (let second = 0; second < 20_000; second++) pace.add(2, START + second * 1000);
    const { rows, intervalMs } = pace.series();
    expect(rows.length).toBeLessThanOrEqual(240);
    expect(intervalMs).toBe(128_000);
    expect(rows.reduce((sum, n) => sum + n, 0)).toBe(40_000);
    expect(rows[0]).toBe(256);
  });

  it('uses the newest interval when the clock was set back', () => {
    const pace = new Pace();
    pace.add(1, START + 2000);
    pace.add(1, START + 4000);
    pace.add(1, START);
    expect(pace.series().rows).toEqual([1, 0, 2]);
  });
});

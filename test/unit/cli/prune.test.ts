/** Which runs `embedmill runs prune` deletes. */

import type { RunInfo } from '@embedmill/contract';
import { describe, expect, it } from 'vitest';
import { age, describePrune, finishedStates, selectRuns } from '../../../apps/cli/src/commands/runs/prune.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const run = (id: string, state: RunInfo['state'], endedAt: string | null) =>
  ({ id, state, endedAt, createdAt: '2026-01-01T00:00:00Z', bytes: 10 }) as RunInfo;
const RUNS = [
  run('r5', 'open', null),
  run('r4', 'completed', '2026-05-31T00:00:00Z'),
  run('r3', 'cancelled', '2026-05-01T00:00:00Z'),
  run('r2', 'failed', null),
  run('r1', 'completed', '2026-04-01T00:00:00Z'),
];
const chosen = (options: Parameters<typeof selectRuns>[1]) =>
  selectRuns(RUNS, options, NOW).map(({ id }) => id);

describe('runs prune', () => {
  it('chooses finished runs by the time since their end, oldest first', () => {
    expect(chosen({ olderThanMs: age('30d') })).toEqual(['r1', 'r2', 'r3']);
    expect(chosen({ olderThanMs: age('24h') })).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  it('chooses by state, and never an active run', () => {
    expect(chosen({ states: finishedStates('cancelled, failed') })).toEqual(['r2', 'r3']);
    expect(chosen({})).toEqual(['r1', 'r2', 'r3', 'r4']);
    expect(() => finishedStates('open')).toThrow('Expected completed, failed, cancelled');
  });

  it('keeps a run whose end is in the future, because a clock was set back', () => {
    const later = run('r6', 'completed', '2030-01-01T00:00:00Z');
    expect(selectRuns([later], { olderThanMs: 0 }, NOW)).toEqual([]);
  });

  it.each(['30', '3.5d', '-1d', 'd', '30y', ''])('does not take %j as an age', (given) => {
    expect(() => age(given)).toThrow('Expected an age such as 30d');
  });

  it('says how many runs and bytes were deleted', () => {
    const result = { dryRun: false, runs: ['r1', 'r2'], freedBytes: 2_500_000, kept: [] };
    expect(describePrune(result)).toEqual(['2 runs (2.50 MB) deleted']);
    expect(describePrune({ ...result, dryRun: true }).at(-1)).toBe('2 runs (2.50 MB) would be deleted');
    expect(describePrune(null)).toEqual(['nothing is deleted']);
  });
});

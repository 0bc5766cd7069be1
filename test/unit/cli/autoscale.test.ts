/** The decisions of `embedmill autoscale` to add and remove workers. */

import { describe, expect, it } from 'vitest';
import { type CoolDown, decide, type ScaleLimits } from '../../../apps/cli/src/commands/autoscale/decide.ts';

const SECOND = 1000;
const LIMITS: ScaleLimits = { min: 1, max: 4, coolDownMs: 60 * SECOND };

/** Simulates a fleet with one check every five seconds; returns its size after each check. */
function followed(wanted: readonly number[], limits = LIMITS, start = limits.min): number[] {
  let running = start;
  let coolDown: CoolDown | null = null;
  return wanted.map((now, look) => {
    const { decision, coolDown: next } = decide(
      { atMs: look * 5 * SECOND, wanted: now, running },
      limits,
      coolDown,
    );
    coolDown = next;
    if (decision.kind === 'out' || decision.kind === 'in') running = decision.to;
    return running;
  });
}
const times = (count: number, value: number) => Array.from({ length: count }, () => value);

describe('the number of workers', () => {
  it('grows at the first check that wants more', () => {
    expect(followed([1, 3, 3, 4])).toEqual([1, 3, 3, 4]);
  });

  it('stays within its limits', () => {
    expect(followed([0, 17, 17])).toEqual([1, 4, 4]);
    expect(followed(times(14, 0), { ...LIMITS, min: 0 }, 1).at(-1)).toBe(0);
  });

  it('shrinks only if fewer were wanted during the whole cool-down', () => {
    // Twelve checks take 60 seconds.
    expect(followed([3, ...times(12, 1), 1])).toEqual([...times(13, 3), 1]);
    expect(followed([3, ...times(11, 1), 3, ...times(12, 1)])).toEqual(times(25, 3));
  });

  it('shrinks to the maximum wanted during the cool-down, not to a dip at its end', () => {
    expect(followed([4, ...times(6, 1), 2, ...times(5, 1), 1]).at(-1)).toBe(2);
  });

  it('follows a load ramp without oscillating', () => {
    const ramp = [
      1,
      1,
      2,
      2,
      3,
      2,
      3,
      3,
      4,
      3,
      4,
      4,
      4,
      3,
      3,
      2,
      3,
      ...times(12, 2),
      ...times(14, 1),
      ...times(13, 0),
    ];
    const sizes = followed(ramp);
    const changes = sizes.filter((size, look) => look > 0 && size !== sizes[look - 1]);
    expect(changes).toEqual([2, 3, 4, 3, 2, 1]);
  });

  it('replaces an exited worker, and restarts a cool-down that would keep more than are running', () => {
    const limits = { ...LIMITS, coolDownMs: 10 * SECOND };
    expect(decide({ atMs: 0, wanted: 3, running: 2 }, limits, null).decision).toEqual({ kind: 'out', to: 3 });
    const coolDown = { sinceMs: 0, maxWanted: 2 };
    expect(decide({ atMs: 9 * SECOND, wanted: 1, running: 2 }, limits, coolDown)).toEqual({
      decision: { kind: 'wait', to: 1, leftMs: 10 * SECOND },
      coolDown: { sinceMs: 9 * SECOND, maxWanted: 1 },
    });
  });

  it('reports the remaining cool-down', () => {
    const { decision, coolDown } = decide({ atMs: 5 * SECOND, wanted: 1, running: 3 }, LIMITS, null);
    expect(decision).toEqual({ kind: 'wait', to: 1, leftMs: 60 * SECOND });
    expect(decide({ atMs: 25 * SECOND, wanted: 2, running: 3 }, LIMITS, coolDown).decision).toEqual({
      kind: 'wait',
      to: 2,
      leftMs: 40 * SECOND,
    });
  });
});

/** Admission of interactive texts: the limit, and when rejected callers should try again. */

import type { EmbedmillError } from '@embedmill/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Admission } from '../../../packages/core/src/redis/interactive/admission.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTime(ms);

/** Facts of a rejection. */
function factsOf(enter: () => void): Readonly<Record<string, unknown>> | undefined {
  try {
    enter();
  } catch (error) {
    return (error as EmbedmillError).facts;
  }
  throw new Error('the texts were admitted');
}

describe('admission', () => {
  it('admits texts up to the limit, and more when some have left', () => {
    const admission = new Admission(10);
    admission.enter(6, 0);
    admission.enter(4, 0);
    expect(() => admission.enter(1, 0)).toThrow(/10 texts .* are in flight, the maximum is 10 texts/);
    admission.leave(6, 0, true);
    admission.enter(5, 0);
    expect(admission.inFlight).toBe(9);
  });

  it('admits a call of any size when no others are in flight', () => {
    const admission = new Admission(10);
    admission.enter(500, 0);
    expect(() => admission.enter(1, 0)).toThrow(/500 texts .* are in flight/);
  });

  it('admits characters up to 8,192 per text of the limit', () => {
    const admission = new Admission(10);
    admission.enter(1, 81_920);
    expect(() => admission.enter(1, 1)).toThrow(
      '1 texts with 81920 characters are in flight, the maximum is 10 texts with 81920 characters',
    );
    admission.leave(1, 81_920, true);
    admission.enter(1, 1_000_000);
    admission.leave(1, 1_000_000, true);
    admission.enter(9, 81_920);
  });

  it('estimates the wait from the throughput', () => {
    const admission = new Admission(100);
    admission.enter(100, 0);
    for (let second = 0; second < 5; second += 1) {
      pass(1000);
      admission.leave(20, 0, true);
      admission.enter(20, 0);
    }
    // 20 texts per second: room for 30 more in 1.5 s.
    expect(factsOf(() => admission.enter(30, 0))).toEqual({ retryAfterMs: 1500, retryAfterSeconds: 2 });
  });

  it('excludes idle time and unanswered texts from the throughput', () => {
    const admission = new Admission(10);
    admission.enter(10, 0);
    admission.leave(10, 0, true);
    pass(60_000);
    admission.enter(10, 0);
    pass(2000);
    admission.leave(5, 0, false);
    admission.enter(5, 0);
    expect(factsOf(() => admission.enter(1, 0))).toEqual({ retryAfterMs: 30_000, retryAfterSeconds: 30 });
  });
});

/** How many interactive texts are taken, and what the others are told. */

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

/** What a refusal says. */
function factsOf(enter: () => void): Readonly<Record<string, unknown>> | undefined {
  try {
    enter();
  } catch (error) {
    return (error as EmbedmillError).facts;
  }
  throw new Error('the texts were let in');
}

describe('admission', () => {
  it('takes texts up to the limit, and again when some have left', () => {
    const admission = new Admission(10);
    admission.enter(6);
    admission.enter(4);
    expect(() => admission.enter(1)).toThrow('10 texts are in flight, the maximum is 10');
    admission.leave(6, true);
    admission.enter(5);
    expect(admission.inFlight).toBe(9);
  });

  it('takes a call of any size when nothing else is there', () => {
    const admission = new Admission(10);
    admission.enter(500);
    expect(() => admission.enter(1)).toThrow('500 texts wait');
  });

  it('says when there will be room, by the pace of the answers', () => {
    const admission = new Admission(100);
    admission.enter(100);
    for (let second = 0; second < 5; second += 1) {
      pass(1000);
      admission.leave(20, true);
      admission.enter(20);
    }
    // 20 texts a second: room for 30 more in 1.5 s.
    expect(factsOf(() => admission.enter(30))).toEqual({ retryAfterMs: 1500, retryAfterSeconds: 2 });
  });

  it('counts neither pauses with nothing to do nor texts that were given up', () => {
    const admission = new Admission(10);
    admission.enter(10);
    admission.leave(10, true);
    pass(60_000);
    admission.enter(10);
    pass(2000);
    admission.leave(5, false);
    admission.enter(5);
    expect(factsOf(() => admission.enter(1))).toEqual({ retryAfterMs: 30_000, retryAfterSeconds: 30 });
  });
});

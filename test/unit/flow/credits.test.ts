/** Credits: taking, waiting and returning. */

import { Credits } from '@embedmill/core/runs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Lets pending promise callbacks run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Credits', () => {
  it('makes callers wait until there is enough, first come, first served', async () => {
    const credits = new Credits(100);
    const order: string[] = [];
    await credits.take(80);
    const large = credits.take(60).then(() => order.push('large'));
    const small = credits.take(10).then(() => order.push('small'));
    await settle();
    expect(order).toEqual([]);
    expect(credits.waiting).toBe(2);
    credits.give(80);
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
    expect(credits.usedBytes).toBe(70);
  });

  it('admits a batch larger than the limit alone', async () => {
    const credits = new Credits(100);
    await credits.take(500);
    expect(credits.usedBytes).toBe(500);
    let served = false;
    const next = credits.take(1).then(() => {
      served = true;
    });
    await settle();
    expect(served).toBe(false);
    credits.give(500);
    await next;
  });

  it('drops a caller that aborts, and serves the next one', async () => {
    const credits = new Credits(100);
    await credits.take(90);
    const leaving = new AbortController();
    const aborted = credits.take(50, leaving.signal);
    const next = credits.take(10);
    leaving.abort(new Error('client disconnected'));
    await expect(aborted).rejects.toThrow('client disconnected');
    await next;
    expect(credits.usedBytes).toBe(100);
    expect(credits.waiting).toBe(0);
  });

  it('never exceeds the limit, whatever is taken and returned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 50 }), async (sizes) => {
        const credits = new Credits(100);
        let maxUsed = 0;
        await Promise.all(
          sizes.map(async (bytes) => {
            await credits.take(bytes);
            maxUsed = Math.max(maxUsed, credits.usedBytes);
            await settle();
            credits.give(bytes);
          }),
        );
        expect(maxUsed).toBeLessThanOrEqual(100);
        expect(credits.usedBytes).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});

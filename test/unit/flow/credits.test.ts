/** How credit is taken, waited for and given back. */

import { Credits } from '@embedmill/core/runs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Lets every promise that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Credits', () => {
  it('lets callers wait until there is enough, in the order they came', async () => {
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

  it('lets a batch through alone that is larger than the limit', async () => {
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

  it('forgets a caller that gives up, and serves the next', async () => {
    const credits = new Credits(100);
    await credits.take(90);
    const leaving = new AbortController();
    const gone = credits.take(50, leaving.signal);
    const next = credits.take(10);
    leaving.abort(new Error('client gone'));
    await expect(gone).rejects.toThrow('client gone');
    await next;
    expect(credits.usedBytes).toBe(100);
    expect(credits.waiting).toBe(0);
  });

  it('never has more out than the limit, whatever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 50 }), async (sizes) => {
        const credits = new Credits(100);
        let most = 0;
        await Promise.all(
          sizes.map(async (bytes) => {
            await credits.take(bytes);
            most = Math.max(most, credits.usedBytes);
            await settle();
            credits.give(bytes);
          }),
        );
        expect(most).toBeLessThanOrEqual(100);
        expect(credits.usedBytes).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});

/** The rate of an inference thread, which decides the size of batches. */

import { expect, test } from 'vitest';
import { ThreadRate } from '../../../apps/worker/src/bulk/thread-rate.ts';

test('is unknown before the first batch', () => {
  expect(new ThreadRate().tokensPerSecond).toBeUndefined();
});

test('is that of all batches while they are few', () => {
  const rate = new ThreadRate();
  rate.add(1000, 0.5);
  expect(rate.tokensPerSecond).toBe(2000);
  rate.add(0, 0);
  expect(rate.tokensPerSecond).toBe(2000);
});

test('follows a change within seconds of work', () => {
  const rate = new ThreadRate();
  for (let i = 0; i < 100; i++) rate.add(10_000, 0.4);
  for (let i = 0; i < 30; i++) rate.add(2_000, 0.4);
  expect(rate.tokensPerSecond).toBeGreaterThan(5000);
  expect(rate.tokensPerSecond).toBeLessThan(8000);
});

/** The memory budget of requests: what fits, who waits, who is refused and who is revoked. */

import { readConfig } from '@embedmill/core/process';
import { MemoryBudget, type MemoryShare, memoryBudgetBytes } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';

const MEGABYTE = 1024 * 1024;

/** Whether a promise is settled after pending callbacks have run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  const next = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([promise, next])) === pending;
}

async function take(budget: MemoryBudget, megabytes: number, isStream = false): Promise<MemoryShare> {
  const share = budget.open();
  await share.resize(megabytes * MEGABYTE, { isStream });
  return share;
}

describe('large shares', () => {
  it('wait for room, first come, first served', async () => {
    const budget = new MemoryBudget(100 * MEGABYTE);
    const first = await take(budget, 70);
    const second = take(budget, 60);
    const third = take(budget, 5);
    expect([await isPending(second), await isPending(third), budget.waiting]).toEqual([true, true, 2]);
    first.release();
    await Promise.all([second, third]);
    expect(budget.usedBytes).toBe(65 * MEGABYTE);
  });

  it('of streams take half of the budget, so that there is room for requests', async () => {
    const budget = new MemoryBudget(100 * MEGABYTE);
    await take(budget, 50, true);
    const stream = take(budget, 10, true);
    await take(budget, 20);
    expect(await isPending(stream)).toBe(true);
  });

  it('that exceed the budget take their whole part', async () => {
    const budget = new MemoryBudget(40 * MEGABYTE);
    await take(budget, 500);
    expect(budget.usedBytes).toBe(30 * MEGABYTE);
  });
});

it('small shares have room while large ones wait', async () => {
  const budget = new MemoryBudget(100 * MEGABYTE);
  await take(budget, 75);
  const large = take(budget, 10);
  const small = await take(budget, 0.4);
  expect([await isPending(large), small.bytes]).toEqual([true, 0.4 * MEGABYTE]);
});

it('a request is refused after its patience, a stream waits', async () => {
  const budget = new MemoryBudget(100 * MEGABYTE, { patienceMs: 20 });
  const holder = await take(budget, 50, true);
  const stream = take(budget, 40, true);
  await take(budget, 25);
  await expect(take(budget, 10)).rejects.toMatchObject({
    code: 'overloaded',
    retryable: true,
    facts: { retryAfterSeconds: 5 },
  });
  expect(await isPending(stream)).toBe(true);
  holder.release();
  await stream;
});

it('a request that ends gives back its share and its place', async () => {
  const budget = new MemoryBudget(100 * MEGABYTE);
  const holder = await take(budget, 75);
  const waiting = budget.open();
  const grown = waiting.resize(50 * MEGABYTE, { isStream: true });
  waiting.release();
  await expect(grown).rejects.toMatchObject({ code: 'client-gone' });
  holder.release();
  expect([budget.usedBytes, budget.waiting]).toEqual([0, 0]);
  await waiting.resize(MEGABYTE);
  expect(budget.usedBytes).toBe(0);
});

describe('while others wait', () => {
  it('the largest share of an idle client is revoked', async () => {
    const budget = new MemoryBudget(100 * MEGABYTE, { idleMs: 50, patienceMs: 10_000 });
    const [small, large, busy] = [await take(budget, 10), await take(budget, 20), await take(budget, 45)];
    const revoked: string[] = [];
    small.waitForClient(() => revoked.push('small'));
    large.waitForClient((error) => {
      revoked.push(`large: ${error.message}`);
      large.release();
    });
    await take(budget, 15);
    expect(revoked).toEqual([
      'large: too few bytes were sent or read in 0.05 s while other requests waited for memory; send the request again',
    ]);
    expect(busy.bytes).toBe(45 * MEGABYTE);
  });

  it('a client that sends a little now and then is idle, one that makes progress is not', async () => {
    const budget = new MemoryBudget(100 * MEGABYTE, { idleMs: 50 });
    const share = await take(budget, 64);
    const move = async (bytes: number): Promise<void> => {
      share.waitForClient(() => {});
      await new Promise((resolve) => setTimeout(resolve, 60));
      share.clientMoved(bytes);
      share.waitForClient(() => {});
    };
    await move(100_000);
    expect(share.idleMs).toBeGreaterThanOrEqual(50);
    await move(MEGABYTE);
    expect(share.idleMs).toBeLessThan(50);
  });
});

it('is a quarter of the memory limit unless configured', () => {
  expect(memoryBudgetBytes(readConfig({ EMBEDMILL_PRODUCER_MEMORY_MB: '100' }))).toBe(100 * MEGABYTE);
  const byDefault = memoryBudgetBytes(readConfig({}));
  expect(byDefault).toBeGreaterThanOrEqual(64 * MEGABYTE);
  expect(byDefault).toBeLessThanOrEqual(1024 * MEGABYTE);
});

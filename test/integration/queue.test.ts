/** BullMQ with our settings, on a real Redis. */

import { UNTREATED } from '@embedmill/contract';
import { type BatchJob, BullBatchQueue, keysOf } from '@embedmill/core/redis';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { testRedis } from '../support/redis.ts';
import { redisProcess } from '../support/redis-process.ts';

function openQueue(url: string, prefix: string): BullBatchQueue {
  const queue = new BullBatchQueue({
    url,
    prefix: keysOf(prefix).queuePrefix,
    onError: () => {},
  });
  onTestFinished(() => queue.close());
  return queue;
}

function jobs(count: number): BatchJob[] {
  const same = {
    run: 'r1',
    home: 'home',
    rows: 1,
    tokens: 1,
    precision: 'int8',
    truncate: 'end',
    treatment: UNTREATED,
    model: 'm',
  } as const;
  return Array.from({ length: count }, (_, batch) => ({ ...same, batch }));
}

it('keeps about 1,000 events, also after Redis lost its data', async () => {
  const redis = await redisProcess();
  await redis.start();
  const queue = openQueue(redis.url, 'queue');
  const enqueueAndCount = async () => {
    const limit = () => redis.ask((client) => client.hget('{queue}:bulk:meta', 'opts.maxLenEvents'));
    await until(async () => (await limit()) === '1000');
    await queue.enqueue(jobs(1500));
    return redis.ask((client) => client.xlen('{queue}:bulk:events'));
  };
  expect(await enqueueAndCount()).toBeLessThan(1200);
  await redis.kill();
  redis.empty();
  await redis.start();
  expect(await enqueueAndCount()).toBeLessThan(1200);
});

it('holds a batch once, however often it is enqueued', async () => {
  const { url, prefix } = testRedis();
  const queue = openQueue(url, prefix);
  await until(() =>
    queue.enqueue(jobs(10)).then(
      () => true,
      () => false,
    ),
  );
  await queue.enqueue(jobs(20));
  expect(await queue.counts()).toEqual({ waiting: 20, active: 0, delayed: 0, failed: 0 });
});

it('removes the jobs that are in no list, except those that a worker has', async () => {
  const { url, prefix, client } = testRedis();
  const queue = openQueue(url, prefix);
  const { queuePrefix } = keysOf(prefix);
  const all = jobs(6);
  await until(() =>
    queue.enqueue(all).then(
      () => true,
      () => false,
    ),
  );
  await queue.enqueue([{ ...all[0]!, batch: 6 }], 60_000);
  const jobKey = (batch: number) => `${queuePrefix}:bulk:r1-${batch}`;
  const lockKey = `${jobKey(4)}:lock`;
  for (const batch of [1, 3, 4]) await client.lrem(`${queuePrefix}:bulk:wait`, 1, `r1-${batch}`);
  await client.set(lockKey, 'a worker');
  // What BullMQ writes for a stalled job whose content was lost.
  await client.hset(jobKey(7), { stc: 1 });
  let removed = 0;
  const removeUntil = (gone: readonly number[]) =>
    until(async () => {
      // A call examines a part of the keys, which are those of all tests.
      removed += await queue.removeUnlisted();
      return (await client.exists(gone.map(jobKey))) === 0;
    });
  await removeUntil([1, 3, 7]);
  expect(removed).toBe(3);
  expect(await client.exists([0, 2, 4, 5, 6].map(jobKey))).toBe(5);
  await client.del(lockKey);
  await removeUntil([4]);
  expect(removed).toBe(4);
  expect(await client.exists([0, 2, 5, 6].map(jobKey))).toBe(4);
  expect(await queue.counts()).toMatchObject({ waiting: 3, delayed: 1 });
});

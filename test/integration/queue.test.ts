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

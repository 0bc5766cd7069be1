/** A connection that breaks while batches are enqueued: whatever part of them is in Redis, the same call again makes it whole. */

import { UNTREATED } from '@embedmill/contract';
import { type BatchJob, BullBatchQueue, keysOf } from '@embedmill/core/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { SOUND_NETWORK } from '../support/fault-proxy.ts';
import { startProxy } from '../support/proxied-run.ts';
import { testRedis } from '../support/redis.ts';

const BATCHES = 200;

function jobsOf(run: string): BatchJob[] {
  const same = {
    run,
    home: 'home',
    rows: 1,
    tokens: 1,
    precision: 'int8',
    truncate: 'end',
    treatment: UNTREATED,
    model: 'm',
  } as const;
  return Array.from({ length: BATCHES }, (_, batch) => ({ ...same, batch }));
}

/** A queue behind a proxy, the bytes of one call, and how many jobs came after two calls. */
async function proxiedQueue() {
  const redis = testRedis();
  const { proxy, place } = await startProxy(redis);
  const { queuePrefix } = keysOf(redis.prefix);
  const queue = new BullBatchQueue({ url: place.url, prefix: queuePrefix, lane: 'bulk', onError: () => {} });
  onTestFinished(() => queue.close());
  // The first call of a connection gives Redis the script, too; the second one shows what a call takes.
  await until(() => succeeds(queue.enqueue(jobsOf('r1'))));
  const before = proxy.clientBytes;
  await queue.enqueue(jobsOf('r2'));
  const callBytes = proxy.clientBytes - before;
  const waiting = async () => (await redis.client.llen(`${queuePrefix}:bulk:wait`)) - 2 * BATCHES;
  return { proxy, queue, callBytes, waiting };
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

describe('200 batches that are enqueued', () => {
  it.each([0.1, 0.5, 0.9])(
    'over a connection that is cut after %f of their bytes are there once each when they are enqueued again',
    async (share) => {
      const { proxy, queue, callBytes, waiting } = await proxiedQueue();
      // The client would send them again by itself over a new connection: there is none for now.
      proxy.set({ resetShare: 1, resetWithinMs: 0 });
      proxy.cutAfter(Math.floor(share * callBytes));
      await expect(queue.enqueue(jobsOf('r3'))).rejects.toThrow();
      expect(await waiting()).toBeGreaterThan(0);
      expect(await waiting()).toBeLessThan(BATCHES);
      proxy.set(SOUND_NETWORK);
      await until(() => succeeds(queue.enqueue(jobsOf('r3'))));
      expect(await waiting()).toBe(BATCHES);
    },
  );

  it('without an answer are there once each when they are enqueued again', async () => {
    const { proxy, queue, waiting } = await proxiedQueue();
    proxy.set({ answers: 'vanish' });
    await expect(queue.enqueue(jobsOf('r3'))).rejects.toThrow();
    expect(await waiting()).toBe(BATCHES);
    proxy.set(SOUND_NETWORK);
    proxy.reset();
    await until(() => succeeds(queue.enqueue(jobsOf('r3'))));
    expect(await waiting()).toBe(BATCHES);
  });
});

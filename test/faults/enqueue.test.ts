/** A connection that breaks while batches are enqueued: repeating the call completes it. */

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

/** A queue behind a proxy, the bytes of one call, and a counter of the jobs after two calls. */
async function proxiedQueue() {
  const redis = testRedis();
  const { proxy, place } = await startProxy(redis);
  const { queuePrefix } = keysOf(redis.prefix);
  const queue = new BullBatchQueue({ url: place.url, prefix: queuePrefix, onError: () => {} });
  onTestFinished(() => queue.close());
  // The first call of a connection also loads the script; the second one shows the bytes of a call.
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

describe('200 enqueued batches', () => {
  it.each([0.1, 0.5, 0.9])(
    'over a connection that is cut after a share of %f of their bytes exist once each after they are enqueued again',
    async (share) => {
      const { proxy, queue, callBytes, waiting } = await proxiedQueue();
      // The client would resend them over a new connection, so new connections are reset.
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

  it('without a reply exist once each after they are enqueued again', async () => {
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

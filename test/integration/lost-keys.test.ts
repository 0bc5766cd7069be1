/** Keys of a run in work are deleted; each loss is found by the next audit. */

import { encodeBatchPayload } from '@embedmill/core/batch';
import { keysOf } from '@embedmill/core/redis';
import { describe, expect, it } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hashVector, startHashWorker } from '../support/hash-worker.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const TEXTS = Array.from({ length: 200 }, (_, i) => `text ${i}`);

/** Waits until the audits have left no job in Redis, in the lists of the queue or beside them. */
async function expectNoJobs({ client, prefix }: TestRedis, audit: () => void): Promise<void> {
  await expect
    .poll(
      () => {
        audit();
        return client.keys(`${keysOf(prefix).queuePrefix}:bulk:r*`);
      },
      { timeout: 20_000, interval: 500 },
    )
    .toEqual([]);
}

describe('an audit finds that Redis has lost', () => {
  it.each([
    ['the list of waiting jobs', (prefix: string) => [`${prefix}:bulk:wait`]],
    [
      'two job hashes',
      (prefix: string, run: string) => [7, 9].map((batch) => `${prefix}:bulk:${run}-${batch}`),
    ],
    ['list and hash', (prefix: string, run: string) => [`${prefix}:bulk:wait`, `${prefix}:bulk:${run}-8`]],
    ['payloads', (prefix: string, run: string) => [7, 9].map((batch) => `${prefix}:in:${run}:${batch}`)],
    ['the run hash', (prefix: string, run: string) => [`${prefix}:run:${run}`]],
    ['the done bitmap', (prefix: string, run: string) => [`${prefix}:done:${run}`]],
    ['the list of active jobs', (prefix: string) => [`${prefix}:bulk:active`]],
    [
      'all lists of jobs',
      (prefix: string) =>
        ['active', 'wait', 'delayed', 'prioritized'].map((list) => `${prefix}:bulk:${list}`),
    ],
    ['everything', (prefix: string) => [`${prefix}:*`]],
  ])('%s', async (_, keysFor) => {
    const redis = testRedis();
    const { submit, audit } = await startCollecting(redis, temporaryFolder());
    const run = await submit(TEXTS);
    const { queuePrefix } = keysOf(redis.prefix);
    let taken = 0;
    let goOn = () => {};
    const mayGoOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await startHashWorker(redis, {
      before: async () => {
        taken += 1;
        if (taken > 3) await mayGoOn;
      },
    });
    await expect.poll(() => taken).toBeGreaterThan(3);
    const doomed = keysFor(queuePrefix, run.id);
    const found = doomed[0]!.endsWith('*') ? await redis.client.keys(doomed[0]!) : doomed;
    expect(await redis.client.del(found)).toBeGreaterThan(0);
    goOn();
    // An audit comes every 30 s by itself.
    const audits = setInterval(audit, 1000);
    await whenEnded(run, 60_000).finally(() => clearInterval(audits));
    expect(run.info()).toMatchObject({ state: 'completed', rows: { done: 200 }, verdicts: { ok: 200 } });
    const expected = Buffer.concat(TEXTS.map((text) => Buffer.from(hashVector(text).buffer)));
    expect((await vectorBytes(run)).equals(expected)).toBe(true);
    await expectNoJobs(redis, audit);
  });

  it('the list of waiting jobs of a run that is cancelled', async () => {
    const redis = testRedis();
    const { submit, audit } = await startCollecting(redis, temporaryFolder());
    const run = await submit(TEXTS);
    expect(await redis.client.del(`${keysOf(redis.prefix).queuePrefix}:bulk:wait`)).toBe(1);
    await run.cancel();
    await expectNoJobs(redis, audit);
  });

  it('the ready stream while results wait in it', async () => {
    const redis = testRedis();
    const { submit, collect } = await startCollecting(redis, temporaryFolder(), { waits: true });
    const run = await submit(TEXTS);
    await startHashWorker(redis);
    const keys = keysOf(redis.prefix);
    await expect.poll(() => redis.client.xlen(keys.ready('home'))).toBe(10);
    await redis.client.del(keys.ready('home'));
    collect();
    await whenEnded(run);
    expect(run.info()).toMatchObject({ state: 'completed', rows: { done: 200 }, verdicts: { ok: 200 } });
  });
});

it('a payload that was sent again while its worker finished the batch is deleted with the result', async () => {
  const redis = testRedis();
  const { submit, collect, exchange, queue } = await startCollecting(redis, temporaryFolder(), {
    waits: true,
  });
  const run = await submit(TEXTS);
  await startHashWorker(redis);
  await expect.poll(() => queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  // The reply to the first request was lost; the job still existed, so that it was not enqueued again.
  await exchange.putPayloads(run.id, [{ batch: 3, payload: encodeBatchPayload(TEXTS.slice(60, 80)) }]);
  collect();
  await whenEnded(run);
  expect(await redis.client.keys(`*${redis.prefix}*:in:*`)).toEqual([]);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: 200 } });
});

describe('an audit enqueues nothing again', () => {
  const RESTORED = 'jobs missing in the queue were enqueued again';

  it('when workers finish batches while it compares', async () => {
    const redis = testRedis();
    const { submit, exchange, queue, logged } = await startCollecting(redis, temporaryFolder(), {
      waits: true,
    });
    const run = await submit(TEXTS);
    const presence = exchange.presence.bind(exchange);
    let hasWorker = false;
    exchange.presence = async (...given) => {
      const found = await presence(...given);
      if (!hasWorker) {
        hasWorker = true;
        await startHashWorker(redis);
        await expect.poll(() => queue.counts()).toMatchObject({ waiting: 0, active: 0 });
      }
      return found;
    };
    await run.reconcile();
    expect(hasWorker).toBe(true);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
    expect(logged.map(({ msg }) => msg)).not.toContain(RESTORED);
  });

  it('when a batch has its payload in Redis and not its job yet', async () => {
    const redis = testRedis();
    const { submit, runs, exchange, logged } = await startCollecting(redis, temporaryFolder(), {
      waits: true,
    });
    const putPayloads = exchange.putPayloads.bind(exchange);
    let audits = 0;
    exchange.putPayloads = async (id, batches) => {
      await putPayloads(id, batches);
      audits += 1;
      await runs.get(id).reconcile();
    };
    await submit(TEXTS);
    expect(audits).toBeGreaterThan(0);
    expect(logged.map(({ msg }) => msg)).not.toContain(RESTORED);
  });
});

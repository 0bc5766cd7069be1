/** Workers are killed while they hold batches: the run loses no row. */

import { resolveRedis } from '@embedmill/core/process';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { REAL_WORKER, startWorkerProcess } from '../support/mill.ts';
import { cacheDir, testRedis } from '../support/redis.ts';
import { PLAIN_TEXTS } from '../support/texts.ts';

const texts = Array.from({ length: 400 }, (_, i) => `${PLAIN_TEXTS[i % PLAIN_TEXTS.length]} Number ${i}.`);

describe('a worker that is killed during a run', () => {
  it('leaves its batches to the others; every row has one vector', async () => {
    const redis = testRedis();
    const { submit, queue } = await startCollecting(redis, temporaryFolder());
    const quiet = await startWorkerProcess(redis, {}, REAL_WORKER);
    const undisturbed = await submit(texts);
    await whenEnded(undisturbed, 60_000);

    const run = await submit(texts);
    await expect.poll(() => run.info().rows.done, { interval: 5 }).toBeGreaterThan(0);
    expect(run.isActive).toBe(true);
    quiet.kill('SIGKILL');
    await quiet.exited;
    expect((await queue.counts()).active).toBeGreaterThan(0);
    await startWorkerProcess(redis, {}, REAL_WORKER);
    await whenEnded(run, 60_000);

    expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: texts.length, failed: 0 } });
    expect(await vectorBytes(run)).toEqual(await vectorBytes(undisturbed));
    await expect.poll(() => queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  });
});

describe('a Redis that lost its data during a run', () => {
  it("gets the batches again from the producer's disk", async () => {
    const own = await resolveRedis({ dataDir: temporaryFolder(), cacheDir });
    onTestFinished(() => own.stop());
    const client = new Redis(own.url);
    onTestFinished(() => client.disconnect());
    const redis = { url: own.url, prefix: 'lost', client };
    const { submit } = await startCollecting(redis, temporaryFolder());
    const run = await submit(texts);
    await client.flushall();
    // The collector compares disk and Redis after a reconnect, as after a restart of Redis.
    await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await startWorkerProcess(redis, {}, REAL_WORKER);
    await whenEnded(run, 60_000);
    expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: texts.length, failed: 0 } });
  });
});

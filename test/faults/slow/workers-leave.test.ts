/** Workers join and stop during a run: their batches are finished or handed over. */

import { expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  type MillPlace,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

const ROWS = 600;

async function sealedRun(place: MillPlace) {
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  const run = await producer.create();
  const rows = sentRows(ROWS);
  await producer.send(run, 0, rows);
  await producer.seal(run);
  return { producer, run, rows };
}

it('scaling from one worker to five and back loses no row', async () => {
  const redis = testRedis();
  const inWork = await sealedRun(redis);
  const done = async () => (await inWork.producer.info(inWork.run)).rows.done;
  const start = () => startWorkerProcess(redis, { HASH_ENGINE_TEXT_MS: '20' });
  const first = await start();
  await until(async () => (await done()) > 20);
  const others = await Promise.all([start(), start(), start(), start()]);
  await until(async () => (await done()) > ROWS / 2);
  for (const worker of [first, ...others.slice(1)]) worker.kill('SIGTERM');
  for (const worker of [first, ...others.slice(1)])
    expect(await worker.waitForExit()).toEqual({ code: 0, signal: null });
  await expectWhole(inWork);
});

it('a worker whose grace period is shorter than its batch hands it over', async () => {
  const redis = testRedis();
  const inWork = await sealedRun(redis);
  const slow = await startWorkerProcess(redis, {
    HASH_ENGINE_TEXT_MS: '20000',
    EMBEDMILL_SHUTDOWN_MS: '500',
  });
  await until(async () => (await redis.client.llen(`{${redis.prefix}}:bulk:active`)) > 0);
  slow.kill('SIGTERM');
  // Before the end of its text, and far before that of its batch.
  expect(await slow.waitForExit(500 + 3000)).toEqual({ code: 0, signal: null });
  await startWorkerProcess(redis);
  await expectWhole(inWork);
});

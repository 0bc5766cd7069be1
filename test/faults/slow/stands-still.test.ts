/** A worker whose machine stands still is not dead: its rows are not blamed for a crash. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  LOCK_MS,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

it('workers that stand still five times over a long text embed it all the same', async () => {
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const rows = sentRows(2);
  rows[1]!.text = 'sleep-12000 a long text';
  const run = await producer.create();
  await producer.send(run, 0, rows);
  await producer.seal(run);
  const workers = [await startWorkerProcess(redis), await startWorkerProcess(redis)];
  for (let times = 0; times < 5; times++) {
    // Longer than the lock, so that the queue gives the batch to another worker.
    for (const worker of workers) worker.kill('SIGSTOP');
    await sleep(2 * LOCK_MS);
    for (const worker of workers) worker.kill('SIGCONT');
    await sleep(LOCK_MS);
  }
  await expectWhole({ producer, run, rows }, 90_000);
  const stalls = await Promise.all(
    workers.map(async (worker) => {
      const [, url] = await worker.waitFor(/"url":"([^"]+)"/);
      const page = await (await fetch(`${url}/metrics`)).text();
      return Number(/^embedmill_stalled_batches_total (\d+)/m.exec(page)?.[1]);
    }),
  );
  expect(stalls.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(2);
}, 180_000);

/** A worker whose machine stands still is not dead: its rows are not blamed for a crash. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, LOCK_MS, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';

/** Longer than the lock, so that the queue takes the batch away. */
const STANDSTILL_MS = 2 * LOCK_MS;

it('a worker that stands still five times over a long text embeds it all the same', async () => {
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const rows = sentRows(2);
  rows[1]!.text = 'sleep-6000 a long text';
  const run = await producer.create();
  await producer.send(run, 0, rows);
  await producer.seal(run);
  const workers = [await startWorkerProcess(redis), await startWorkerProcess(redis)];
  const metricOf = async (name: string) => {
    const pages = await Promise.all(
      workers.map(async (worker) => {
        const [, url] = await worker.waitFor(/"url":"([^"]+)"/);
        return await (await fetch(`${url}/metrics`)).text();
      }),
    );
    return pages.reduce((sum, page) => sum + Number(new RegExp(`^${name} (\\d+)`, 'm').exec(page)?.[1] ?? 0), 0);
  };
  for (let times = 1; times <= 5; times++) {
    for (const worker of workers) worker.kill('SIGSTOP');
    await sleep(STANDSTILL_MS);
    for (const worker of workers) worker.kill('SIGCONT');
    // The batch is taken over, so this standstill counted as a stall.
    await until(async () => (await metricOf('embedmill_stalled_batches_total')) >= Math.min(times, 3), 20_000);
  }
  await expectWhole({ producer, run, rows }, 90_000);
}, 180_000);

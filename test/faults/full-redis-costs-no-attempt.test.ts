/**
 * A full Redis costs no attempt of a batch, however the server words its errors: Redis 6.2 wraps those of scripts
 * (`npm run test:faults -- --redis 6.2`).
 */

import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from '@embedmill/worker';
import { expect, it, onTestFinished } from 'vitest';
import { startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { redisProcess } from '../support/redis-process.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

it('no row fails while Redis is full', async () => {
  const redis = await redisProcess();
  await redis.start();
  const { url } = redis;
  const { submit } = await startCollecting({ url, prefix: 'full' }, temporaryFolder());
  const run = await submit(
    Array.from({ length: 300 }, (_, i) => `sleep-5 text ${i}`),
    { batchRows: 5 },
  );
  const engineUrl = new URL('../fixtures/engines/hash.mjs', import.meta.url);
  const config = {
    ...readConfig({}),
    redisUrl: url,
    prefix: 'full',
    workerPort: 0,
    threads: 1,
    lockMs: 2000,
  };
  const worker = await startWorker(config, { log, engineUrl });
  onTestFinished(() => worker.stop());
  for (let times = 0; times < 3; times++) {
    const before = run.info().rows.done;
    await expect.poll(() => run.info().rows.done).toBeGreaterThan(before);
    await redis.ask((client) => client.config('SET', 'maxmemory', '1'));
    const refusals = async () => {
      const stats = await redis.ask((client) => client.info('errorstats'));
      return Number(/errorstat_(?:OOM|ERR):count=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const refused = await refusals();
    await expect.poll(refusals).toBeGreaterThan(refused + 3);
    await redis.ask((client) => client.config('SET', 'maxmemory', '0'));
  }
  await whenEnded(run, 60_000);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: 300, failed: 0 } });
}, 120_000);

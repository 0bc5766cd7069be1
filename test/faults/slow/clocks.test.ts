/** Workers with wrong clocks, set by Debian's package libfaketime, and clocks that are set during a run. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf } from '@embedmill/core/redis';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

const HOUR_MS = 3_600_000;

/** Environment of a process whose clock is set back by an hour at SIGUSR2. */
const settable = {
  NODE_OPTIONS: `--import ${new URL('../../fixtures/processes/clock.mjs', import.meta.url).href}`,
  TEST_CLOCK_MS: String(-HOUR_MS),
};

/** Path of the library; it depends on the architecture. */
function findFakeTime(): string | undefined {
  return readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
}

describe('a worker whose clock is', () => {
  it.for(['-10m', '+10m'])(
    '%s off keeps its locks and loses no row, though another one dies',
    async (offset, { skip }) => {
      const library = findFakeTime();
      if (library === undefined) return skip('libfaketime is missing: apt-get install libfaketime');
      const redis = testRedis();
      const producer = await startProducerProcess(redis, temporaryFolder());
      await producer.ready();
      const run = await producer.create();
      const rows = sentRows(400);
      await producer.send(run, 0, rows);
      await producer.seal(run);
      const clock = { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
      // Locks are renewed every 3 s, so that a loaded machine does not miss one.
      const lock = { EMBEDMILL_LOCK_MS: '6000' };
      const skewed = await startWorkerProcess(redis, { ...clock, ...lock, HASH_ENGINE_TEXT_MS: '10' });
      const sound = await startWorkerProcess(redis, { HASH_ENGINE_TEXT_MS: '10' });
      const [, time = ''] = await skewed.waitFor(/"time":(\d+)/);
      expect(Math.abs(Number(time) - Date.now())).toBeGreaterThan(9 * 60_000);
      await until(async () => (await producer.info(run)).rows.done > 60);
      sound.kill('SIGKILL');
      await expectWhole({ producer, run, rows });
      const [, url = ''] = await skewed.waitFor(/"url":"([^"]+)"/);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      // The wait in the queue is the difference of two clocks.
      const waited = /^embedmill_stage_seconds_sum\{stage="queue-wait"\} (\S+)/m.exec(metrics)?.[1];
      expect(Number(waited)).toBeGreaterThanOrEqual(0);
      expect(metrics).toMatch(/^embedmill_lock_renewal_failures_total 0$/m);
    },
  );
});

describe('a clock that is set back by an hour during a run', () => {
  it('delays neither the audit of lost jobs nor the jobs that were delayed before', async () => {
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder(), settable);
    await producer.ready();
    const worker = await startWorkerProcess(redis, { ...settable, HASH_ENGINE_TEXT_MS: '10' });
    const run = await producer.create();
    const rows = sentRows(400);
    await producer.send(run, 0, rows);
    await producer.seal(run);
    await until(async () => (await producer.info(run)).rows.done > 60);
    const queue = `${keysOf(redis.prefix).queuePrefix}:bulk`;
    // As a worker does that hands a batch back: it is due in two seconds, according to the clock before.
    const [waiting = ''] = await redis.client.lrange(`${queue}:wait`, 0, 0);
    expect(await redis.client.lrem(`${queue}:wait`, 1, waiting)).toBe(1);
    // The score of BullMQ: the time, shifted by 12 bits for a counter.
    await redis.client.zadd(`${queue}:delayed`, (Date.now() + 2000) * 0x1000, waiting);
    for (const one of [producer.process, worker]) one.kill('SIGUSR2');
    await until(async () => {
      const later = await producer.create();
      return Date.parse((await producer.info(later)).createdAt) < Date.now() - HOUR_MS / 2;
    });
    await redis.client.del(`${queue}:wait`);
    await expectWhole({ producer, run, rows }, 280_000);
  }, 400_000);
});

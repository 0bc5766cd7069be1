/** Workers with wrong clocks, set by Debian's package libfaketime. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

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

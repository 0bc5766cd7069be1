/** Slow deaths of a producer: again and again during a run, and frozen until another one has taken over. */

import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

describe('a producer that is killed', () => {
  it('repeatedly during a run, with its workers, returns the same results as an undisturbed one', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const rows = sentRows(300);
    let producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const run = await producer.create();
    await producer.send(run, 0, rows);
    await producer.seal(run);
    for (let deaths = 1; deaths <= 3; deaths++) {
      const worker = await startWorkerProcess(redis, { HASH_ENGINE_TEXT_MS: '3' });
      await until(async () => (await producer.info(run)).rows.done >= deaths * 60);
      worker.kill('SIGKILL');
      producer.process.kill('SIGKILL');
      await producer.process.exited;
      await worker.exited;
      producer = await startProducerProcess(redis, dataDir);
      await producer.ready();
    }
    await startWorkerProcess(redis);
    await expectWhole({ producer, run, rows });
  });
});

describe('two producers on one data folder', () => {
  it('never both write: one that was frozen while the other took over exits', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const rows = sentRows(100);
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const run = await first.create();
    await first.send(run, 0, rows);
    const second = await startProducerProcess(redis, dataDir);
    first.process.kill('SIGSTOP');
    // The lease expires after 6 s; then the first one counts as gone if it does not renew its ownership for 10 s.
    await second.ready(60_000);
    first.process.kill('SIGCONT');
    expect(await first.process.waitForExit()).toEqual({ code: 1, signal: null });
    await startWorkerProcess(redis);
    await second.seal(run);
    await expectWhole({ producer: second, run, rows });
  });
});

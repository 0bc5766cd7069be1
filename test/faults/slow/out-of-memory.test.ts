/** The kernel ends a worker that takes more memory than its container may have: the text that does it fails, nothing else. */

import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { memoryCgroup } from '../../support/memory-cgroup.ts';
import {
  faultsOfResults,
  resultLines,
  sentRows,
  startImmortalWorker,
  startProducerProcess,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

it('a text that makes the kernel end its worker fails alone, after a known number of deaths', async ({
  skip,
}) => {
  const cgroup = memoryCgroup(700);
  if (cgroup === null) return skip('a cgroup can be made by root on Linux only');
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const rows = sentRows(60);
  rows[25]!.text += ' eat-the-memory!';
  const run = await producer.create(20);
  await producer.send(run, 0, rows);
  await producer.seal(run);
  const { deaths, stop } = startImmortalWorker(redis, {
    TEST_CGROUP: cgroup.procs,
    EMBEDMILL_LOCK_MS: '1000',
  });
  const info = await producer.ended(run, 200_000).finally(stop);
  expect(info).toMatchObject({ state: 'completed', verdicts: { ok: 59, failed: 1 } });
  expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual(['row id-25 has no vector']);
  const report = await (await producer.call('GET', `/v1/runs/${run}/report`)).text();
  expect(report).toContain('crashed 2 worker processes');
  expect(cgroup.oomKills()).toBe(4);
  expect(deaths()).toBe(4);
});

/** The kernel kills a worker that exceeds its memory limit: only the text that caused it fails. */

import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { memoryCgroup } from '../../support/memory-cgroup.ts';
import {
  faultsOfResults,
  resultLines,
  sentRows,
  startProducerProcess,
  startRestartingWorker,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

it('a text that makes the kernel kill its worker fails alone, after a known number of crashes', async ({
  skip,
}) => {
  const cgroup = memoryCgroup(700);
  if (cgroup === null) return skip('only root on Linux can create a cgroup');
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const rows = sentRows(60);
  rows[25]!.text += ' eat-the-memory!';
  const run = await producer.create(20);
  await producer.send(run, 0, rows);
  await producer.seal(run);
  const { crashes, stop } = startRestartingWorker(redis, {
    TEST_CGROUP: cgroup.procs,
    EMBEDMILL_LOCK_MS: '1000',
  });
  const info = await producer.ended(run, 200_000).finally(stop);
  expect(info).toMatchObject({ state: 'completed', verdicts: { ok: 59, failed: 1 } });
  expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual(['row id-25 has no vector']);
  const report = await (await producer.call('GET', `/v1/runs/${run}/report`)).text();
  expect(report).toContain('crashed 2 worker processes');
  expect(cgroup.oomKills()).toBe(4);
  expect(crashes()).toBe(4);
});

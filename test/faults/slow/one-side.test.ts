/** Faults of one process at one moment: a worker is cut off, a producer dies before its acknowledgement. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { startProxy } from '../../support/proxied-run.ts';
import { testRedis } from '../../support/redis.ts';

it('a worker that is cut off loses its batches to another; its late commits have no effect', async () => {
  const redis = testRedis();
  const { proxy, place } = await startProxy(redis);
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const run = await producer.create();
  const rows = sentRows(200);
  const lonely = await startWorkerProcess(place, { HASH_ENGINE_TEXT_MS: '20' });
  await producer.send(run, 0, rows);
  await until(async () => (await producer.info(run)).rows.done >= 20);
  // It has started the next batches and cannot commit them.
  proxy.set({ traffic: 'freeze' });
  await startWorkerProcess(redis);
  await until(async () => (await producer.info(run)).rows.done === rows.length);
  proxy.set({ traffic: 'pass' });
  const [, url = ''] = await lonely.waitFor(/"url":"([^"]+)"/);
  const doubled = async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return Number(/^embedmill_duplicate_batches_total (\d+)/m.exec(metrics)?.[1]);
  };
  await until(async () => (await doubled()) > 0);
  expect((await producer.info(run)).rows.done).toBe(rows.length);
  await producer.seal(run);
  await expectWhole({ producer, run, rows });
});

it('a producer that dies between renaming a shard and acknowledging it duplicates no row', async () => {
  const redis = testRedis();
  const { proxy, place } = await startProxy(redis);
  const dataDir = temporaryFolder();
  const first = await startProducerProcess(place, dataDir);
  await first.ready();
  const run = await first.create();
  const rows = sentRows(100);
  // The acknowledgement begins by deleting results.
  proxy.set({ holdAt: 'unlink' });
  await first.send(run, 0, rows);
  await startWorkerProcess(redis);
  await first.seal(run);
  await until(() => proxy.isHolding);
  const shards = () => readdirSync(join(dataDir, 'runs', run, 'shards'));
  expect(shards()).toEqual(['00000000.shard']);
  first.process.kill('SIGKILL');
  await first.process.exited;
  proxy.reset();
  const results = () => redis.client.keys(`{${redis.prefix}}:out:*`);
  expect(await results()).not.toEqual([]);

  const second = await startProducerProcess(redis, dataDir);
  await second.ready();
  await expectWhole({ producer: second, run, rows });
  expect(await second.info(run)).toMatchObject({ batches: { total: 10, stored: 10 } });
  // All is on disk, so the run is completed at once; the entries in Redis are read and deleted after that.
  await until(async () => (await results()).length === 0);
});

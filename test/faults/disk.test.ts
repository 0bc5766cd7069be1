/** A disk that refuses writes for a while: a producer waits, says so, and recovers by itself; refused requests leave nothing. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';
import { fill, remount, smallFolder } from '../support/small-folder.ts';

const NOT_ROOT = 'only root can mount a small disk';

it('a producer started on a read-only disk waits, says why, and fails no run', async ({ skip }) => {
  const dataDir = smallFolder(8);
  if (dataDir === null) return skip(NOT_ROOT);
  const redis = testRedis();
  const rows = sentRows(100);
  const first = await startProducerProcess(redis, dataDir);
  await first.ready();
  const run = await first.create();
  await first.send(run, 0, rows);
  await first.seal(run);
  first.process.kill('SIGTERM');
  await first.process.exited;
  expect(remount(dataDir, 'ro')).toBe(true);
  const second = await startProducerProcess(redis, dataDir);
  await until(async () =>
    (await (await second.call('GET', '/readyz')).text()).includes('the data folder is read-only'),
  );
  expect((await second.call('GET', '/readyz')).status).toBe(503);
  expect((await second.call('GET', '/healthz')).status).toBe(200);
  expect(remount(dataDir, 'rw')).toBe(true);
  await second.ready();
  expect((await second.info(run)).state).toBe('sealed');
  await startWorkerProcess(redis);
  await expectWhole({ producer: second, run, rows });
});

it('a disk that becomes read-only is reported by requests and readiness, and used again when it is back', async ({
  skip,
}) => {
  const dataDir = smallFolder(8);
  if (dataDir === null) return skip(NOT_ROOT);
  const redis = testRedis();
  const rows = sentRows(100);
  const producer = await startProducerProcess(redis, dataDir);
  await producer.ready();
  const run = await producer.create();
  // Files stay open for 2 s after a write.
  await until(() => remount(dataDir, 'ro'));
  const refused = await producer.send(run, 0, rows);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({
    code: 'disk-unavailable',
    detail: 'the data folder is read-only',
  });
  await until(async () => (await producer.call('GET', '/readyz')).status === 503);
  expect(await (await producer.call('GET', '/readyz')).json()).toMatchObject({
    reasons: ['The data folder is read-only.'],
  });
  const removal = await producer.call('DELETE', `/v1/runs/${run}`);
  expect(removal.status).toBe(503);
  expect((await producer.info(run)).state).toBe('open');
  expect(remount(dataDir, 'rw')).toBe(true);
  await producer.ready();
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  await producer.seal(run);
  await startWorkerProcess(redis);
  await expectWhole({ producer, run, rows });
});

it('an upload that a full disk refused leaves no byte, nor does a refused run or batch', async ({ skip }) => {
  const dataDir = smallFolder(4);
  if (dataDir === null) return skip(NOT_ROOT);
  const redis = testRedis();
  const producer = await startProducerProcess(redis, dataDir);
  await producer.ready();
  const upload = (bytes: number) => {
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob([Buffer.alloc(bytes, 0x20)]), 'a.jsonl');
    return producer.call('POST', '/v1/files', { method: 'POST', body: form });
  };
  for (let attempt = 0; attempt < 3; attempt++) expect((await upload(8_000_000)).status).toBe(503);
  expect(readdirSync(join(dataDir, 'files'))).toEqual([]);
  const kept = await upload(1000);
  expect(kept.status).toBe(200);
  const { id: file } = (await kept.json()) as { id: string };
  const ballast = join(dataDir, 'ballast');
  fill(ballast);
  const post = (path: string, body: unknown) =>
    producer.call('POST', path, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post('/v1/runs', {})).status).toBe(503);
  const batch = { input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h' };
  expect((await post('/v1/batches', batch)).status).toBe(503);
  expect(readdirSync(join(dataDir, 'runs'))).toEqual([]);
  expect(readdirSync(join(dataDir, 'batches'))).toEqual([]);
  rmSync(ballast);
  expect((await post('/v1/runs', {})).status).toBe(201);
});

/** A link of 2 MB/s between Redis and everybody: slow, never stuck, and a run with large batches delays no other. */

import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  type SentRow,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { startProxy } from '../../support/proxied-run.ts';
import { testRedis } from '../../support/redis.ts';

it('a run with results of 6 MB and one with small ones both complete over 2 MB/s', async () => {
  const { proxy, place } = await startProxy(testRedis());
  proxy.set({ bytesPerSecond: 2 * 1024 * 1024 });
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  await startWorkerProcess(place);
  const start = async (rows: readonly SentRow[], batchRows: number) => {
    const answer = await producer.call('POST', '/v1/runs', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ batchRows, batchTokens: 1_000_000 }),
    });
    const { id: run } = (await answer.json()) as { id: string };
    expect((await producer.send(run, 0, rows)).status).toBe(201);
    await producer.seal(run);
    return { producer, run, rows };
  };
  const large = await start(sentRows(4 * 4096), 4096);
  const small = await start(sentRows(500), 25);
  await expectWhole(small, 60_000);
  await expectWhole(large, 120_000);
  expect(producer.process.stderr).not.toContain('collecting pauses');
}, 240_000);

it('rows of 1 MB are accepted and embedded over a link of 2 MB/s', async () => {
  const { proxy, place } = await startProxy(testRedis());
  proxy.set({ bytesPerSecond: 2 * 1024 * 1024 });
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  await startWorkerProcess(place);
  const rows = sentRows(12).map(({ id, text }) => ({ id, text: `${text} ${'word '.repeat(200_000)}` }));
  const run = await producer.create(4);
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  await producer.seal(run);
  await expectWhole({ producer, run, rows }, 120_000);
}, 240_000);

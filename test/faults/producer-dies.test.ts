/** A producer that is killed, runs twice or has a full disk: no confirmed row is lost. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  expectWhole,
  type ProducerProcess,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';
import { fill, smallFolder } from '../support/small-folder.ts';

async function kill({ process }: ProducerProcess): Promise<void> {
  process.kill('SIGKILL');
  await process.exited;
}

describe('a producer that is killed', () => {
  it('in the middle of a part accepts the part again, and each row exists once', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    // Long enough that no buffer on the way holds back the first half.
    const rows = sentRows(400).map(({ id, text }) => ({ id, text: `${text} ${'and so on '.repeat(300)}` }));
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const run = await first.create();
    // Half of the part is sent, and the rest never follows.
    const half = Buffer.from(linesOf(rows.slice(0, 205)));
    const body = new ReadableStream({ start: (stream) => stream.enqueue(half) });
    const interrupted = first
      .call('POST', `/v1/runs/${run}/rows?part=0`, {
        headers: { 'content-type': 'application/x-ndjson' },
        body,
        duplex: 'half',
      } as RequestInit)
      .catch(() => 'interrupted');
    await until(async () => (await first.info(run)).rows.accepted >= 150);
    await kill(first);
    expect(await interrupted).toBe('interrupted');

    await startWorkerProcess(redis);
    const second = await startProducerProcess(redis, dataDir);
    await second.ready();
    expect((await second.seal(run)).status).toBe(409);
    expect((await second.send(run, 0, rows)).status).toBe(201);
    await second.seal(run);
    await expectWhole({ producer: second, run, rows });
  });
});

describe('two producers on one data folder', () => {
  it('take turns: the second one serves the runs once the first is dead', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const rows = sentRows(100);
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const second = await startProducerProcess(redis, dataDir);
    const run = await first.create();
    await first.send(run, 0, rows);
    expect((await second.call('GET', '/readyz')).status).toBe(503);
    expect((await second.call('GET', `/v1/runs/${run}`)).status).toBe(503);
    await kill(first);
    await second.ready();
    await startWorkerProcess(redis);
    await second.seal(run);
    await expectWhole({ producer: second, run, rows });
  });
});

describe('a full disk', () => {
  it('rejects rows with a clear error and accepts them when there is room', async ({ skip }) => {
    const dataDir = smallFolder(2);
    if (dataDir === null) return skip('only root can mount a small disk');
    const redis = testRedis();
    const producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const run = await producer.create();
    const ballast = join(dataDir, 'ballast');
    fill(ballast);
    const refused = await producer.send(run, 0, sentRows(2000));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'disk-full' });
    rmSync(ballast);
    const rows = sentRows(2000).slice(0, 500);
    expect((await producer.send(run, 1, rows)).status).toBe(201);
  });

  it('leaves results in Redis until there is room; none is acknowledged before it is stored', async ({
    skip,
  }) => {
    const dataDir = smallFolder(2);
    if (dataDir === null) return skip('only root can mount a small disk');
    const redis = testRedis();
    const rows = sentRows(200);
    const producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const run = await producer.create();
    await producer.send(run, 0, rows);
    await producer.seal(run);
    const ballast = join(dataDir, 'ballast');
    fill(ballast);
    await startWorkerProcess(redis);
    await producer.process.waitFor(/collecting pauses[^}]*|ENOSPC/);
    const [ready = ''] = await redis.client.keys(`{${redis.prefix}}:ready:*`);
    await until(async () => (await redis.client.xlen(ready)) === 20);
    expect((await producer.info(run)).batches.stored).toBe(0);
    expect(await redis.client.keys(`{${redis.prefix}}:out:*`)).toHaveLength(20);
    rmSync(ballast);
    await expectWhole({ producer, run, rows });
    expect(await redis.client.keys(`{${redis.prefix}}:out:*`)).toHaveLength(0);
  });
});

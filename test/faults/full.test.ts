/** More rows than Redis can hold: streams slow down, small requests are rejected, memory is bounded. */

import { describe, expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { type RedisProcess, redisProcess } from '../support/redis-process.ts';

const MEGABYTE = 1024 * 1024;

function memoryOf(redis: RedisProcess): Promise<number> {
  return redis.ask(async (client) => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]));
}

describe('rows without a worker', () => {
  it('do not overfill a Redis of 8 MB: a stream waits, a small request gets 429, and all rows are embedded in the end', async () => {
    const redis = await redisProcess(['--maxmemory', '8mb']);
    await redis.start();
    const place = { url: redis.url, prefix: 'full' };
    const producer = await startProducerProcess(place, temporaryFolder());
    await producer.ready();
    const rows = sentRows(6000);
    const run = await producer.create(50);
    let isSent = false;
    // A body without Content-Length counts as a stream.
    const body = new Blob([linesOf(rows)]).stream();
    const headers = { 'content-type': 'application/x-ndjson' };
    const init = { headers, body, duplex: 'half' } as RequestInit;
    const stream = producer.call('POST', `/v1/runs/${run}/rows?part=0`, init, 60_000).then((answer) => {
      isSent = true;
      return answer;
    });
    const accepted = async () => (await producer.info(run)).rows.accepted;
    // The stream is blocked when no row is accepted for a second.
    for (let before = -1; before !== (await accepted()); ) {
      before = await accepted();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }

    const small = await producer.create();
    const refused = await producer.send(small, 0, sentRows(5));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    const waiting = await accepted();
    const memory = await memoryOf(redis);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(isSent).toBe(false);
    expect(await accepted()).toBe(waiting);
    expect(Math.abs((await memoryOf(redis)) - memory)).toBeLessThan(MEGABYTE / 2);
    expect(memory).toBeLessThan(0.7 * 8 * MEGABYTE);

    await startWorkerProcess(place);
    expect((await stream).status).toBe(201);
    await producer.seal(run);
    await expectWhole({ producer, run, rows });
    expect((await producer.send(small, 0, sentRows(5))).status).toBe(201);
    await producer.seal(small);
    await expectWhole({ producer, run: small, rows: sentRows(5) });
  });
});

describe('a Redis filled by others', () => {
  it('stops admission at 70% and resumes it at 60%', async () => {
    const redis = await redisProcess(['--maxmemory', '64mb']);
    await redis.start();
    const producer = await startProducerProcess({ url: redis.url, prefix: 'full' }, temporaryFolder());
    await producer.ready();
    await redis.ask(async (client) => {
      // How much memory Redis needs for each depends on its allocator.
      for (let i = 0; (await memoryOf(redis)) < 48 * MEGABYTE; i++)
        await client.set(`ballast:${i}`, Buffer.alloc(MEGABYTE));
    });
    await until(async () => (await producer.call('GET', '/readyz')).status === 503);
    const { reasons } = (await (await producer.call('GET', '/readyz')).json()) as { reasons: string[] };
    expect(reasons).toEqual([expect.stringMatching(/^Redis is nearly full/)]);
    const run = await producer.create();
    expect((await producer.send(run, 0, sentRows(5))).status).toBe(429);
    await redis.ask((client) => client.del(Array.from({ length: 20 }, (_, i) => `ballast:${i}`)));
    await producer.ready();
    expect((await producer.send(run, 0, sentRows(5))).status).toBe(201);
  });
});

describe('a Redis that evicts keys', () => {
  it('is named in readiness, by its policy, until it is set right', async () => {
    const redis = await redisProcess(['--maxmemory', '64mb']);
    await redis.start();
    await redis.ask((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    const producer = await startProducerProcess({ url: redis.url, prefix: 'evicts' }, temporaryFolder());
    const reasons = async () =>
      ((await (await producer.call('GET', '/readyz')).json()) as { reasons: string[] }).reasons;
    await expect
      .poll(reasons)
      .toEqual([
        'Redis has maxmemory-policy allkeys-lru and deletes batches when it is full; expected noeviction.',
      ]);
    await redis.ask((client) => client.config('SET', 'maxmemory-policy', 'noeviction'));
    await producer.ready();
  });
});

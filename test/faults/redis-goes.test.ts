/** Redis is down, frozen, emptied or read-only: the API reports it within seconds, and no run loses a row. */

import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  expectWhole,
  sentRows,
  startProducerProcess,
  startRunInWork,
  startWorkerProcess,
} from '../support/mill.ts';
import { type RedisProcess, redisProcess } from '../support/redis-process.ts';

const SECOND = 1000;
/** Starts a run in work on this Redis. */
const runOn = (redis: RedisProcess) => startRunInWork({ url: redis.url, prefix: 'goes' });

/** Keys, ready entries and BullMQ jobs of runs that are left. */
async function leftOver(redis: RedisProcess): Promise<{ keys: string[]; entries: number; jobs: string[] }> {
  return redis.ask(async (client) => ({
    keys: (await client.keys('{goes}:*')).filter((key) => /:(in|out|run|done):/.test(key)),
    entries: await client
      .keys('{goes}:ready:*')
      .then(async ([key]) => (key === undefined ? 0 : client.xlen(key))),
    jobs: await client.keys('{goes}:bulk:r*'),
  }));
}

describe('a Redis that is down at start', () => {
  it('is waited for: the API answers 503 at once, and works when Redis is up', async () => {
    const redis = await redisProcess();
    const place = { url: redis.url, prefix: 'goes' };
    const producer = await startProducerProcess(place, temporaryFolder());
    const worker = await startWorkerProcess(place);
    expect((await producer.call('GET', '/healthz')).status).toBe(200);
    const refused = await producer.call('POST', '/v1/runs', {}, 3 * SECOND);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await refused.json()).toMatchObject({ code: 'redis-unavailable' });
    expect((await producer.call('GET', '/readyz', {}, 3 * SECOND)).status).toBe(503);
    await redis.start();
    await producer.ready();
    const run = await producer.create();
    const rows = sentRows(100);
    await producer.send(run, 0, rows);
    await producer.seal(run);
    await expectWhole({ producer, run, rows });
    // Reported, but not for every attempt.
    const complaints = worker.stderr.split('\n').filter((line) => /ECONNREFUSED/.test(line));
    expect(complaints.length).toBeGreaterThan(0);
    expect(complaints.length).toBeLessThan(8);
  });
});

describe('a Redis that fails during a run', () => {
  it.each([
    ['comes back with its data', false],
    ['comes back without its data', true],
  ])('and %s: requests get 503 within 3 s, and the run loses no row', async (_how, isEmpty) => {
    const redis = await redisProcess();
    await redis.start();
    const { producer, run, rows } = await runOn(redis);
    await redis.kill();
    const another = await producer.create();
    const refused = await producer.call(
      'POST',
      `/v1/runs/${another}/rows?part=0`,
      { headers: { 'content-type': 'application/x-ndjson' }, body: '{"id":"a","text":"b"}\n' },
      3 * SECOND,
    );
    expect(refused.status).toBe(503);
    expect((await producer.call('GET', '/readyz', {}, 3 * SECOND)).status).toBe(503);
    if (isEmpty) redis.empty();
    await redis.start();
    await expectWhole({ producer, run, rows });
    await producer.ready();
    // The client sends the rejected part again; its row exists once.
    await producer.send(another, 0, [{ id: 'a', text: 'b' }]);
    await producer.seal(another);
    await expectWhole({ producer, run: another, rows: [{ id: 'a', text: 'b' }] });
    await until(async () => (await leftOver(redis)).jobs.length === 0);
    expect(await leftOver(redis)).toEqual({ keys: [], entries: 0, jobs: [] });
  });

  it('frozen for longer than a lock: requests get 503 within 3 s, and the run loses no row', async () => {
    const redis = await redisProcess();
    await redis.start();
    const { producer, run, rows } = await runOn(redis);
    redis.freeze();
    expect((await producer.call('GET', '/readyz', {}, 4 * SECOND)).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 4 * SECOND));
    redis.thaw();
    await expectWhole({ producer, run, rows });
    await until(async () => (await leftOver(redis)).jobs.length === 0);
  });

  it('while a run is cancelled and another one removed: their keys are deleted when it is back', async () => {
    const redis = await redisProcess();
    await redis.start();
    const dataDir = temporaryFolder();
    const place = { url: redis.url, prefix: 'goes' };
    const first = await startProducerProcess(place, dataDir);
    await first.ready();
    const [cancelled, removed] = [await first.create(), await first.create()];
    for (const run of [cancelled, removed]) await first.send(run, 0, sentRows(50));
    expect((await leftOver(redis)).keys).toHaveLength(2 * (1 + 5));
    await redis.kill();
    expect((await first.call('POST', `/v1/runs/${cancelled}/cancel`)).status).toBe(200);
    // Without its files, the keys of a run could not be deleted later.
    expect((await first.call('DELETE', `/v1/runs/${removed}`)).status).toBe(503);
    first.process.kill('SIGKILL');
    await first.process.exited;
    await redis.start();
    const second = await startProducerProcess(place, dataDir);
    await second.ready();
    expect((await second.info(cancelled)).state).toBe('cancelled');
    expect((await second.call('DELETE', `/v1/runs/${removed}`)).status).toBe(204);
    await until(async () => (await leftOver(redis)).keys.length === 0);
  });

  it('read-only, as after a failover: no row fails, and the run continues afterwards', async () => {
    const redis = await redisProcess();
    await redis.start();
    const { producer, run, rows } = await runOn(redis);
    // A replica rejects writes; its primary is an unused port, so it keeps its data.
    await redis.ask((client) => client.call('REPLICAOF', '127.0.0.1', '1'));
    const another = await producer.create();
    expect((await producer.send(another, 0, [{ id: 'a', text: 'b' }])).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
    expect((await producer.info(run)).state).toBe('sealed');
    await redis.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));
    await expectWhole({ producer, run, rows });
  });
});

describe('a Redis without our scripts', () => {
  it('gets them again', async () => {
    const redis = await redisProcess();
    await redis.start();
    const { producer, run, rows } = await runOn(redis);
    const client = new Redis(redis.url);
    await client.script('FLUSH');
    client.disconnect();
    await expectWhole({ producer, run, rows });
  });
});

/** The exchange on a real Redis: atomic, idempotent and rejected operations. */

import type { BatchSummary } from '@embedmill/contract';
import { resolveRedis } from '@embedmill/core/process';
import {
  AbandonedResults,
  connect,
  keysOf,
  RedisExchange,
  ValueReader,
  whenReady,
} from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { cacheDir, type TestRedis, testRedis } from '../support/redis.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const SUMMARY: BatchSummary = {
  rows: 2,
  verdicts: { ok: 2, truncated: 0, empty: 0, failed: 0 },
  tokens: 9,
  lostTokens: 0,
};
const DAY_SECONDS = 24 * 3600;
const PAYLOAD = new TextEncoder().encode('two texts');
const RESULT = new Uint8Array([1, 2, 3, 0, 255]);

async function openExchange({ url, prefix }: Pick<TestRedis, 'url' | 'prefix'> = testRedis()) {
  const redis = connect(url, 'patient', log);
  const values = ValueReader.forUrl(url);
  onTestFinished(() => {
    redis.disconnect();
    values?.close();
  });
  await whenReady(redis, 5000);
  const keys = keysOf(prefix);
  return { exchange: new RedisExchange({ redis, values, keys }), redis, keys };
}

describe('the exchange', () => {
  it('hands out a payload until its batch is done', async () => {
    const { exchange } = await openExchange();
    await exchange.openRun('r1');
    await exchange.putPayloads('r1', [{ batch: 7, payload: PAYLOAD }]);
    const taken = await exchange.takePayload('r1', 7, 'home');
    expect(taken).toEqual({ status: 'taken', payload: PAYLOAD });
    expect(await exchange.presence('r1', [7, 8])).toEqual(['waiting', 'absent']);
    expect(await exchange.commit('r1', 7, 'home', RESULT, SUMMARY)).toBe('committed');
    expect(await exchange.presence('r1', [7])).toEqual(['ready']);
    expect(await exchange.takePayload('r1', 7, 'home')).toEqual({ status: 'duplicate' });
  });

  it('counts a batch once, however often it is committed', async () => {
    const { exchange } = await openExchange();
    await exchange.openRun('r1');
    await exchange.putPayloads('r1', [{ batch: 0, payload: PAYLOAD }]);
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => exchange.commit('r1', 0, 'home', RESULT, SUMMARY)),
    );
    expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(4);
    const ready = await exchange.readReady('home', '0', 10, 10);
    expect(ready).toEqual([{ entry: expect.any(String), run: 'r1', batch: 0, summary: SUMMARY }]);
    expect(await exchange.fetchResults('r1', [0, 1])).toEqual([Buffer.from(RESULT), null]);
  });

  it('keeps no keys of a closed run', async () => {
    const { exchange, redis, keys } = await openExchange();
    await exchange.openRun('r1');
    await exchange.putPayloads(
      'r1',
      [0, 1].map((batch) => ({ batch, payload: PAYLOAD })),
    );
    await exchange.commit('r1', 0, 'home', RESULT, SUMMARY);
    await exchange.closeRun('r1', [0, 1]);
    expect(await exchange.takePayload('r1', 1, 'home')).toEqual({ status: 'gone' });
    expect(await exchange.commit('r1', 1, 'home', RESULT, SUMMARY)).toBe('gone');
    const left = await redis.keys(`${keys.queuePrefix.replace(/[{}]/g, '\\$&')}*`);
    expect(left).toEqual([keys.ready('home')]);
  });

  it('notifies the producer of a lost payload', async () => {
    const { exchange } = await openExchange();
    await exchange.openRun('r1');
    expect(await exchange.takePayload('r1', 3, 'home')).toEqual({ status: 'lost' });
    expect(await exchange.readReady('home', '0', 10, 10)).toMatchObject([
      { run: 'r1', batch: 3, summary: null },
    ]);
  });

  it('reads on from an entry and deletes what is acknowledged', async () => {
    const { exchange } = await openExchange();
    await exchange.openRun('r1');
    for (const batch of [0, 1, 2]) await exchange.commit('r1', batch, 'home', RESULT, SUMMARY);
    const [first, ...rest] = await exchange.readReady('home', '0', 10, 10);
    expect((await exchange.readReady('home', first!.entry, 10, 10)).map(({ batch }) => batch)).toEqual([
      1, 2,
    ]);
    await exchange.acknowledge('home', rest);
    expect((await exchange.readReady('home', '0', 10, 10)).map(({ batch }) => batch)).toEqual([0]);
    expect(await exchange.fetchResults('r1', [0, 1, 2])).toEqual([Buffer.from(RESULT), null, null]);
  });

  it('waits for the first entry, up to the given time', async () => {
    const { url, prefix } = testRedis();
    const reader = await openExchange({ url, prefix });
    const writer = await openExchange({ url, prefix });
    expect(await reader.exchange.readReady('home', '0', 10, 20)).toEqual([]);
    const waiting = reader.exchange.readReady('home', '0', 10, 10_000);
    await writer.exchange.openRun('r1');
    await writer.exchange.commit('r1', 0, 'home', RESULT, SUMMARY);
    expect(await waiting).toMatchObject([{ batch: 0 }]);
  });

  it('rejects a commit as a whole while Redis is full, and accepts it when there is room', async () => {
    const folder = temporaryFolder();
    const own = await resolveRedis({ dataDir: folder, cacheDir });
    onTestFinished(() => own.stop());
    const { exchange, redis, keys } = await openExchange({ url: own.url, prefix: 'full' });
    await exchange.openRun('r1');
    await exchange.putPayloads('r1', [{ batch: 0, payload: PAYLOAD }]);
    await redis.config('SET', 'maxmemory', '1');
    await expect(exchange.commit('r1', 0, 'home', RESULT, SUMMARY)).rejects.toThrow(/OOM/);
    expect(await redis.getbit(keys.done('r1'), 0)).toBe(0);
    expect(await exchange.presence('r1', [0])).toEqual(['waiting']);
    await redis.config('SET', 'maxmemory', '100mb');
    expect(await exchange.commit('r1', 0, 'home', RESULT, SUMMARY)).toBe('committed');
  });

  it('gives every key of a run a TTL', async () => {
    const { exchange, redis, keys } = await openExchange();
    await exchange.openRun('r1');
    await exchange.putPayloads('r1', [{ batch: 0, payload: PAYLOAD }]);
    await exchange.commit('r1', 1, 'home', RESULT, SUMMARY);
    await exchange.beginProbe('r1', 0, 'worker-1');
    const all = [
      keys.run('r1'),
      keys.payload('r1', 0),
      keys.result('r1', 1),
      keys.done('r1'),
      keys.probe('r1', 0),
      keys.ready('home'),
    ];
    for (const key of all) expect(await redis.ttl(key), key).toBeGreaterThan(DAY_SECONDS - 60);
    for (const key of all) expect(await redis.ttl(key), key).toBeLessThanOrEqual(DAY_SECONDS);
    // What an audit finds is kept for another day.
    for (const key of all) await redis.expire(key, 100);
    await exchange.openRun('r1');
    await exchange.presence('r1', [0, 1]);
    await exchange.findUnannounced('home', []);
    for (const key of all.filter((key) => key !== keys.probe('r1', 0)))
      expect(await redis.ttl(key), key).toBeGreaterThan(DAY_SECONDS - 60);
    await redis.del(keys.done('r1'));
    await exchange.reopenBatch('r1', 1);
    expect(await redis.ttl(keys.done('r1'))).toBeGreaterThan(DAY_SECONDS - 60);
    // Another worker has committed the batch that this one probes.
    await exchange.markProbedRow('r1', 1, 'worker-1', 0);
    expect(await redis.ttl(keys.probe('r1', 1))).toBeGreaterThan(DAY_SECONDS - 60);
  });
});

describe('results that no producer fetches', () => {
  it('are deleted after a grace period without a lease, and only those', async () => {
    const { exchange, redis, keys } = await openExchange();
    for (const [run, dataDirId] of [
      ['gone', 'gone-home'],
      ['alive', 'home'],
    ] as const) {
      await exchange.openRun(run);
      for (let batch = 0; batch < 3; batch++) await exchange.commit(run, batch, dataDirId, RESULT, SUMMARY);
    }
    await redis.set(keys.lease('home'), 'a producer');
    const abandoned = new AbandonedResults({ redis, keys });
    expect(await abandoned.sweep()).toBe(0);
    expect(await abandoned.sweep(0)).toBe(3);
    expect(await exchange.presence('gone', [0, 1, 2])).toEqual(['absent', 'absent', 'absent']);
    expect(await exchange.presence('alive', [0, 1, 2])).toEqual(['ready', 'ready', 'ready']);
    expect(await redis.exists(keys.ready('gone-home'))).toBe(0);
  });
});

describe('a probe', () => {
  it('counts the mark of a worker that is no longer connected as a death, and no other mark', async () => {
    const { exchange, keys } = await openExchange();
    const subscriber = new Redis(inject('redisUrl'));
    onTestFinished(() => subscriber.disconnect());
    await subscriber.subscribe(keys.alive('silent'));
    await exchange.beginProbe('r1', 0, 'silent');
    await exchange.markProbedRow('r1', 0, 'silent', 4);
    await exchange.beginProbe('r1', 0, 'dead');
    await exchange.markProbedRow('r1', 0, 'dead', 5);
    await exchange.beginProbe('r1', 0, 'unlucky');
    await exchange.beginProbe('r1', 0, 'third');
    await exchange.markProbedRow('r1', 0, 'third', 6);
    const history = await exchange.beginProbe('r1', 0, 'third');
    expect(history).toEqual({ unexplained: 1, deaths: new Map([[5, 1]]) });
  });
});

describe('values over 1 MB', () => {
  it('are written and read in slices, and come out whole', async () => {
    const { exchange, redis, keys } = await openExchange();
    const large = Uint8Array.from({ length: 3 * 1024 * 1024 + 7 }, (_, i) => i % 251);
    await exchange.openRun('r1');
    await exchange.putPayloads('r1', [
      { batch: 0, payload: PAYLOAD },
      { batch: 1, payload: large },
      { batch: 2, payload: PAYLOAD },
    ]);
    const taken = await exchange.takePayload('r1', 1, 'home');
    expect(taken.status === 'taken' && Buffer.from(taken.payload).equals(large)).toBe(true);
    for (const [batch, result] of [
      [0, RESULT],
      [1, large],
      [2, RESULT],
    ] as const)
      expect(await exchange.commit('r1', batch, 'home', result, SUMMARY)).toBe('committed');
    expect(await exchange.commit('r1', 1, 'home', large, SUMMARY)).toBe('duplicate');
    const [first, second, third] = await exchange.fetchResults('r1', [0, 1, 2]);
    expect([first, third]).toEqual([Buffer.from(RESULT), Buffer.from(RESULT)]);
    expect(Buffer.from(second!).equals(large)).toBe(true);
    // On a connection of ioredis, as with TLS, Sentinels and clusters.
    const onIoredis = new RedisExchange({ redis, keys });
    const [same, whole, ...others] = await onIoredis.fetchResults('r1', [0, 1, 2, 3]);
    expect([same, ...others]).toEqual([first, third, null]);
    expect(Buffer.from(whole!).equals(large)).toBe(true);
    expect(await exchange.fetchResults('r1', [0, 1, 2], 1000)).toHaveLength(1);
    expect(await redis.keys(`${keys.staged('')}*`)).toEqual([]);
    expect(await redis.ttl(keys.payload('r1', 2))).toBe(-2);
  });
});

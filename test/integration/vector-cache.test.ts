/** The vector cache in Redis: hits, eviction, and unchanged results of runs. */

import { UNTREATED } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { type CachedVector, type CacheOptions, keysOf, RedisVectorCache } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from '@embedmill/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';
import { longText, PLAIN_TEXTS } from '../support/texts.ts';

const MEGABYTE = 1024 * 1024;
const OPTIONS: CacheOptions = { model: '0123456789abcdef', truncate: 'end', treatment: UNTREATED };

function cacheOn({ client, prefix }: TestRedis, maxBytes = MEGABYTE): RedisVectorCache {
  return new RedisVectorCache({ redis: client, keys: keysOf(prefix), maxBytes });
}

const cached = (value: number, outcome: Partial<CachedVector['outcome']> = {}): CachedVector => ({
  outcome: { verdict: 'ok', tokens: 7, lostTokens: 0, ...outcome },
  vector: new Float32Array(384).fill(value),
});

describe('the cache', () => {
  it('returns vectors and outcomes, and null for unknown texts', async () => {
    const cache = cacheOn(testRedis());
    const long = cached(0.5, { verdict: 'truncated', tokens: 512, lostTokens: 9, chunks: 2 });
    await cache.keep(['a', '电池'], [cached(0.25), long], OPTIONS);
    expect(await cache.find(['电池', 'b', 'a'], OPTIONS)).toEqual([long, null, cached(0.25)]);
  });

  it('skips rows without a vector', async () => {
    const cache = cacheOn(testRedis());
    await cache.keep(['', 'x'], [cached(0, { verdict: 'empty' }), cached(0, { verdict: 'failed' })], OPTIONS);
    expect(await cache.find(['', 'x'], OPTIONS)).toEqual([null, null]);
  });

  it.each<[string, Partial<CacheOptions>]>([
    ['model', { model: 'fedcba9876543210' }],
    ['truncation', { truncate: 'start' }],
    ['treatment', { treatment: { ...UNTREATED, long: 'mean' } }],
  ])('does not find a text under another %s', async (_, other) => {
    const cache = cacheOn(testRedis());
    await cache.keep(['a'], [cached(1)], OPTIONS);
    expect(await cache.find(['a'], { ...OPTIONS, ...other })).toEqual([null]);
  });

  it('stays within its size and evicts the least recently used vectors', async () => {
    const redis = testRedis();
    const cache = cacheOn(redis, 110 * (32 + 1536 + 450));
    const texts = Array.from({ length: 140 }, (_, i) => `text ${i}`);
    await cache.keep(
      texts.slice(0, 50),
      texts.slice(0, 50).map(() => cached(1)),
      OPTIONS,
    );
    // Used in a later millisecond than the one in which all were added.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await cache.find(texts.slice(0, 10), OPTIONS)).not.toContain(null);
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const text of texts.slice(50, 140)) await cache.keep([text], [cached(1)], OPTIONS);
    const { cachedVectors, cacheOrder, cacheBytes } = keysOf(redis.prefix);
    const [entries, ordered, bytes] = await Promise.all([
      redis.client.hlen(cachedVectors),
      redis.client.zcard(cacheOrder),
      redis.client.get(cacheBytes),
    ]);
    expect(entries).toBe(110);
    expect([ordered, Number(bytes)]).toEqual([entries, entries * (32 + 1536 + 450)]);
    const found = await cache.find(texts.slice(0, 140), OPTIONS);
    expect(found.slice(0, 10)).not.toContain(null);
    expect(found.slice(10, 50).filter((one) => one === null)).toHaveLength(140 - entries);
    expect(found.slice(50)).not.toContain(null);
  });
});

describe('an entry of the cache', () => {
  it.each([
    [
      'a flipped bit',
      (value: Buffer) =>
        Buffer.concat([value.subarray(0, 100), Buffer.from([value[100]! ^ 1]), value.subarray(101)]),
    ],
    ['a missing end', (value: Buffer) => value.subarray(0, 200)],
    [
      'another revision of the treatment',
      (value: Buffer) => Buffer.concat([value.subarray(0, 4), Buffer.from([1]), value.subarray(5)]),
    ],
  ])('with %s is ignored, and replaced by the next vector', async (_, damage) => {
    const redis = testRedis();
    const cache = cacheOn(redis);
    await cache.keep(['a'], [cached(1)], OPTIONS);
    const { cachedVectors, cacheBytes } = keysOf(redis.prefix);
    const [[field, value]] = Object.entries(await redis.client.hgetallBuffer(cachedVectors)) as [
      [string, Buffer],
    ];
    const [name] = await redis.client.hkeysBuffer(cachedVectors);
    expect(field).toBeDefined();
    await redis.client.hset(cachedVectors, name!, damage(value));
    expect(await cache.find(['a'], OPTIONS)).toEqual([null]);
    await cache.keep(['a'], [cached(1)], OPTIONS);
    expect(await cache.find(['a'], OPTIONS)).toEqual([cached(1)]);
    expect(Number(await redis.client.get(cacheBytes))).toBeGreaterThanOrEqual(28 + 1536 + 450);
  });
});

describe('a worker with a cache', () => {
  const log = createLogger({ logLevel: 'silent' }, 'test');

  async function join({ url, prefix }: TestRedis, settings: Partial<Config>) {
    const worker = await startWorker(
      { ...readConfig({}), redisUrl: url, prefix, workerPort: 0, threads: 1, repeatsBytes: 0, ...settings },
      { log },
    );
    onTestFinished(() => worker.stop());
    const count = async (source: string) => {
      const page = await (await fetch(`${worker.url}/metrics`)).text();
      return Number(
        new RegExp(`^embedmill_repeated_texts_total\\{source="${source}"\\} (\\d+)`, 'm').exec(page)?.[1],
      );
    };
    return { worker, count };
  }

  it('gives every run the same bytes, and computes a text once across runs', async () => {
    const [plain, withCache] = [testRedis(), testRedis()];
    const texts = [...PLAIN_TEXTS, '', longText(400), ...PLAIN_TEXTS.slice(0, 3)];
    const more = ['a text of its own', ...texts, 'another one'];
    const reference = await startCollecting(plain, temporaryFolder());
    await join(plain, {});
    const { submit } = await startCollecting(withCache, temporaryFolder());
    const { count } = await join(withCache, { cacheBytes: MEGABYTE });

    const first = await submit(texts, { batchRows: 1000 });
    await whenEnded(first);
    expect(await count('cache')).toBe(0);
    const second = await submit(more, { batchRows: 1000 });
    await whenEnded(second);
    // All but the new ones and the empty one, which has no vector.
    expect(await count('cache')).toBe(texts.length - 1);
    const third = await submit(texts, { precision: 'fp32' });
    await whenEnded(third);
    expect(await count('cache')).toBe(texts.length - 1);

    const alone = await reference.submit(more);
    await whenEnded(alone);
    expect((await vectorBytes(second)).equals(await vectorBytes(alone))).toBe(true);
    expect(second.info().verdicts).toEqual(alone.info().verdicts);
    expect(second.info().tokens).toBe(alone.info().tokens);
  });

  it('computes a text once per run when its threads cache repeats', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const { count } = await join(redis, { repeatsBytes: MEGABYTE });
    const run = await submit([...PLAIN_TEXTS, ...PLAIN_TEXTS]);
    await whenEnded(run);
    expect(await count('thread')).toBe(PLAIN_TEXTS.length);
    const bytes = await vectorBytes(run);
    expect(bytes.subarray(0, bytes.length / 2).equals(bytes.subarray(bytes.length / 2))).toBe(true);
  });
});

/** Tests how a worker processes batches, with the real model and a real Redis. */

import type { Treatment } from '@embedmill/contract';
import { storeGlossary, vectorFingerprint } from '@embedmill/core/batch';
import { type Config, readConfig, resolveRedis } from '@embedmill/core/process';
import { keysOf } from '@embedmill/core/redis';
import type { Run } from '@embedmill/core/runs';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rowsOf, startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { cacheDir, type TestRedis, testRedis } from '../support/redis.ts';
import { AWKWARD_TEXTS, EMPTY_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';
import { smallBertFolder } from '../unit/embed/small-bert.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

async function join({ url, prefix }: TestRedis, settings: Partial<Config> = {}): Promise<RunningWorker> {
  const config = {
    ...readConfig({}),
    redisUrl: url,
    prefix,
    workerPort: 0,
    threads: 1,
    lockMs: 2000,
    ...settings,
  };
  const worker = await startWorker(config, { log });
  onTestFinished(() => worker.stop());
  return worker;
}

const VECTOR_BYTES = 384 * 4;

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => `${PLAIN_TEXTS[i % PLAIN_TEXTS.length]} (${i})`);

describe('a worker', () => {
  it('embeds every row of a run and leaves no keys of it in Redis', async () => {
    const redis = testRedis();
    const { submit, credits } = await startCollecting(redis, temporaryFolder());
    const worker = await join(redis);
    const run = await submit(texts(50));
    await whenEnded(run);
    expect(run.info()).toMatchObject({
      state: 'completed',
      rows: { accepted: 50, rejected: 0, done: 50 },
      batches: { total: 3, done: 3, stored: 3 },
      verdicts: { ok: 50, truncated: 0, empty: 0, failed: 0 },
      dim: 384,
      fingerprint: worker.fingerprint,
    });
    expect(credits.usedBytes).toBe(0);
    const prefix = keysOf(redis.prefix).queuePrefix;
    const left = (await redis.client.keys(`*${redis.prefix}*`)).filter(
      (key) =>
        !['bulk', 'interactive', 'models', 'worker'].some((name) => key.startsWith(`${prefix}:${name}`)),
    );
    expect(left).toEqual([`${prefix}:ready:home`]);
    expect(await redis.client.xlen(`${prefix}:ready:home`)).toBe(0);
  });

  it('gives each row its own verdict', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    await join(redis);
    const run = await submit([...AWKWARD_TEXTS, ...EMPTY_TEXTS, longText(400)]);
    await whenEnded(run);
    expect(run.info().verdicts).toEqual({
      ok: AWKWARD_TEXTS.length,
      truncated: 1,
      empty: EMPTY_TEXTS.length,
      failed: 0,
    });
    expect(run.info().lostTokens).toBeGreaterThan(100);
  });

  it('applies the treatment of the run and includes it in the fingerprint', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const worker = await join(redis);
    const long = longText(400);
    const treatment: Treatment = {
      clean: ['html', 'white-space'],
      long: 'mean',
      prompt: 'query: ',
      glossary: null,
    };
    const run = await submit(['<b>Fits</b> &amp; <i>works</i>', long, ' <br> '], treatment);
    const plain = await submit(['query: Fits & works', long], {});
    await whenEnded(run);
    await whenEnded(plain);
    expect(run.info()).toMatchObject({
      options: treatment,
      verdicts: { ok: 2, truncated: 0, empty: 1, failed: 0 },
      chunkedRows: 1,
      fingerprint: vectorFingerprint(worker.fingerprint, treatment),
    });
    expect(run.info().fingerprint).not.toBe(worker.fingerprint);
    expect(plain.info()).toMatchObject({ chunkedRows: 0, fingerprint: worker.fingerprint });
    const bytesOfRow = async (of: Run, row: number) =>
      (await vectorBytes(of)).toString('hex', row * VECTOR_BYTES, (row + 1) * VECTOR_BYTES);
    expect(await bytesOfRow(run, 0)).toBe(await bytesOfRow(plain, 0));
    expect(await bytesOfRow(run, 1)).not.toBe(await bytesOfRow(plain, 1));
  });

  it('replaces the terms of a glossary, even after Redis has lost it, and counts them', async () => {
    const redis = testRedis();
    const { runs, submit, audit } = await startCollecting(redis, temporaryFolder());
    const { id, content } = storeGlossary([['CTP margin', 'futures trading margin']]);
    const options = { ...(await submit(['warm'], {})).options, glossary: id, batchRows: 1 };
    const run = await runs.create({ options, glossary: content });
    await run.addPart({
      part: 0,
      rows: rowsOf(['The CTP margin rose.', 'No term.', 'ctp margin, CTP margin']),
      sha256: () => 'sha',
    });
    await run.seal();
    // No worker has read it yet.
    await redis.client.unlink(keysOf(redis.prefix).glossary(id));
    await join(redis);
    audit();
    await whenEnded(run);
    const plain = await submit(['The futures trading margin rose.', 'No term.']);
    await whenEnded(plain);
    expect(run.info()).toMatchObject({ replacements: 3, verdicts: { ok: 3 } });
    expect(run.info().fingerprint).not.toBe(plain.info().fingerprint);
    const [replaced, asWritten] = [await vectorBytes(run), await vectorBytes(plain)];
    expect(replaced.subarray(0, 2 * VECTOR_BYTES).equals(asWritten)).toBe(true);
  });

  it('returns the same bytes for any workers and any batch size', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const rows = texts(60);
    const first = await join(redis);
    const alone = await submit(rows, { batchRows: 7 });
    await whenEnded(alone);
    await join(redis, { threads: 2 });
    const together = await submit(rows, { batchRows: 11 });
    await whenEnded(together);
    expect(await vectorBytes(together)).toEqual(await vectorBytes(alone));
    await first.stop();
    const second = await submit(rows);
    await whenEnded(second);
    expect(await vectorBytes(second)).toEqual(await vectorBytes(alone));
  });

  it('returns a batch for another model to the queue, for the worker that has it', async () => {
    const redis = testRedis();
    const { submit, queue } = await startCollecting(redis, temporaryFolder());
    const without = await join(redis);
    const run = await submit(texts(3), { model: 'small-bert' });
    await expect.poll(async () => (await queue.counts()).delayed).toBe(1);
    expect(run.info().rows.done).toBe(0);
    expect(await queue.counts()).toMatchObject({ failed: 0 });
    const withIt = await join(redis, { model: smallBertFolder(), cacheDir: temporaryFolder() });
    expect(withIt.fingerprint).not.toBe(without.fingerprint);
    // Otherwise chance decides how often the batch is returned before the right worker takes it.
    await without.stop();
    await whenEnded(run);
    expect(run.info()).toMatchObject({ state: 'completed', dim: 24, fingerprint: withIt.fingerprint });
  });

  it('keeps its vectors while Redis is full, uses no attempt, and continues when there is room', async () => {
    const own = await resolveRedis({ dataDir: temporaryFolder(), cacheDir });
    onTestFinished(() => own.stop());
    const client = new Redis(own.url);
    onTestFinished(() => client.disconnect());
    const redis = { url: own.url, prefix: 'full', client };
    const { submit, queue } = await startCollecting(redis, temporaryFolder());
    const run = await submit(texts(300), { batchRows: 5 });
    await join(redis);
    await expect.poll(() => run.info().rows.done).toBeGreaterThan(0);
    await client.config('SET', 'maxmemory', '1');
    // A commit is refused, so the worker is now waiting with its vectors.
    await expect
      .poll(async () => Number(/errorstat_OOM:count=(\d+)/.exec(await client.info('errorstats'))?.[1] ?? 0))
      .toBeGreaterThan(2);
    await client.config('SET', 'maxmemory', '100mb');
    await whenEnded(run);
    expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: 300, failed: 0 } });
    await expect.poll(() => queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  it('finishes batches in progress when it stops, and another worker takes the rest', async () => {
    const redis = testRedis();
    const { submit, queue } = await startCollecting(redis, temporaryFolder());
    const leaving = await join(redis);
    const run = await submit(texts(400), { batchRows: 10 });
    await expect.poll(() => run.info().rows.done).toBeGreaterThan(0);
    await leaving.stop();
    expect((await queue.counts()).active).toBe(0);
    await join(redis);
    await whenEnded(run);
    expect(run.info()).toMatchObject({ state: 'completed', rows: { done: 400 } });
  });

  it('answers health, readiness and metrics', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const worker = await join(redis);
    const run = await submit(texts(5));
    await whenEnded(run);
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${worker.url}/elsewhere`)).status).toBe(404);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toContain('embedmill_texts_total{lane="bulk",verdict="ok"} 5');
    expect(metrics).toContain('embedmill_texts_total{lane="bulk",verdict="failed"} 0');
    expect(metrics).toContain('embedmill_batches_total{outcome="committed"} 1');
  });

  it('does not start without REDIS_URL', async () => {
    const config = { ...readConfig({}), redisUrl: undefined };
    await expect(startWorker(config, { log })).rejects.toThrow(/REDIS_URL/);
  });
});

/** What runs survive: restarts, a Redis that lost its data, and lost, damaged or late results. */

import { setTimeout as sleep } from 'node:timers/promises';
import { UNTREATED } from '@embedmill/contract';
import type { Run } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { type Collecting, rowsOf, startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hashVector, startHashWorker } from '../support/hash-worker.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const texts = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `opinion ${start + i}`);

/** Vectors that a run over these texts must give, as bytes. */
const expected = (all: readonly string[]) =>
  Buffer.concat(all.map((text) => Buffer.from(hashVector(text).buffer)));

/** What is left of runs in Redis: payloads, results, bitmaps, hashes and ready entries. */
async function leftInRedis({ client, prefix }: TestRedis): Promise<string[]> {
  const keys = await client.keys(`{${prefix}}:*`);
  const ofRuns = keys.filter((key) => /^\{\w+\}:(in|out|done|run):/.test(key));
  const entries = await client.xlen(`{${prefix}}:ready:home`);
  return [...ofRuns, ...(entries === 0 ? [] : [`${entries} ready entries`])];
}

/** Deletes all keys of the test in one step, as if Redis had lost its data. */
async function empty({ client, prefix }: TestRedis): Promise<void> {
  await client.eval(
    `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`,
    0,
    `*${prefix}*`,
  );
}

async function expectWhole(run: Run, all: readonly string[], { credits }: Collecting, redis: TestRedis) {
  expect(run.info()).toMatchObject({ state: 'completed', rows: { accepted: all.length, done: all.length } });
  expect((await vectorBytes(run)).equals(expected(all))).toBe(true);
  expect(credits.usedBytes).toBe(0);
  await until(async () => (await leftInRedis(redis)).length === 0);
}

describe('a restarted producer', () => {
  it('finishes a run without any done batch', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const before = await startCollecting(redis, dataDir, { waits: true });
    const { id } = await before.submit(texts(200));
    const usedBytes = before.credits.usedBytes;
    await before.stop();

    const after = await startCollecting(redis, dataDir);
    const run = after.runs.get(id);
    expect(run.state).toBe('sealed');
    expect(after.credits.usedBytes).toBe(usedBytes);
    await startHashWorker(redis);
    await whenEnded(run);
    await expectWhole(run, texts(200), after, redis);
  });

  it('collects what was done while it was stopped, in addition to what it had stored', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const gate = makeGate();
    let done = 0;
    await startHashWorker(redis, {
      before: async () => {
        done += 1;
        if (done > 4) await gate.promise;
      },
    });
    const before = await startCollecting(redis, dataDir);
    const { id } = await before.submit(texts(200));
    await until(() => before.runs.get(id).info().batches.done === 4);
    // Stopping stores the four done batches.
    await before.stop();
    gate.resolve();
    await until(async () => (await redis.client.xlen(`{${redis.prefix}}:ready:home`)) === 6);

    const after = await startCollecting(redis, dataDir);
    const run = after.runs.get(id);
    expect(run.info().batches).toMatchObject({ total: 10, stored: 4 });
    await whenEnded(run);
    await expectWhole(run, texts(200), after, redis);
  });

  it('continues an interrupted part, and knows complete parts', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const before = await startCollecting(redis, dataDir);
    const started = await before.runs.create({ options: OPTIONS });
    const first = await started.addPart({ part: 0, rows: rowsOf(texts(50)), sha256: () => 'sha-0' });
    async function* interrupted() {
      yield* rowsOf(texts(60, 50));
      throw new Error('the client disconnected');
    }
    await expect(started.addPart({ part: 1, rows: interrupted(), sha256: () => 'sha-1' })).rejects.toThrow(
      'the client disconnected',
    );
    await before.stop();

    const after = await startCollecting(redis, dataDir);
    const run = after.runs.get(started.id);
    expect(run.receipts).toEqual([first]);
    expect(await run.addPart({ part: 0, rows: rowsOf(texts(50)), sha256: () => 'sha-0' })).toEqual(first);
    await expect(run.seal()).rejects.toMatchObject({ code: 'parts-incomplete', facts: { parts: [1] } });
    await expect(
      run.addPart({ part: 1, rows: rowsOf(texts(60, 51)), sha256: () => 'sha-x' }),
    ).rejects.toMatchObject({
      code: 'part-conflict',
    });
    await run.addPart({ part: 1, rows: rowsOf(texts(100, 50)), sha256: () => 'sha-1' });
    await run.seal();
    await startHashWorker(redis);
    await whenEnded(run);
    await expectWhole(run, texts(150), after, redis);
  });

  it('continues an interrupted part whose batches had another size', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const before = await startCollecting(redis, dataDir);
    const options = { ...OPTIONS, batchRows: null, batchTokens: null };
    const { id } = await before.runs.create({ options });
    async function* interrupted() {
      yield* rowsOf(texts(600));
      throw new Error('the client disconnected');
    }
    const upload = before.runs.get(id).addPart({ part: 0, rows: interrupted(), sha256: () => 'sha' });
    await expect(upload).rejects.toThrow('the client disconnected');
    await before.stop();

    const after = await startCollecting(redis, dataDir, { tokensPerSecond: 2_000_000 });
    const run = after.runs.get(id);
    expect(run.info().batches.total).toBe(2);
    await run.addPart({ part: 0, rows: rowsOf(texts(1500)), sha256: () => 'sha' });
    await run.seal();
    expect(run.info().batches.total).toBe(3);
    await startHashWorker(redis);
    await whenEnded(run);
    await expectWhole(run, texts(1500), after, redis);
  });

  it('still has ended runs and their files', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const before = await startCollecting(redis, dataDir);
    await startHashWorker(redis);
    const completed = await before.submit(texts(30));
    await whenEnded(completed);
    const cancelled = await before.runs.create({ options: OPTIONS });
    await cancelled.cancel();
    const shown = [completed.info(), cancelled.info()];
    await before.stop();

    const after = await startCollecting(redis, dataDir);
    const again = [completed.id, cancelled.id].map((id) => after.runs.get(id).info());
    expect(again.map(({ state, endedAt }) => [state, endedAt])).toEqual(
      shown.map(({ state, endedAt }) => [state, endedAt]),
    );
    expect(again[0]).toMatchObject({
      rows: shown[0]?.rows,
      verdicts: shown[0]?.verdicts,
      dim: shown[0]?.dim,
    });
    expect((await vectorBytes(after.runs.get(completed.id))).equals(expected(texts(30)))).toBe(true);
    expect(after.credits.usedBytes).toBe(0);
  });
});

describe('a Redis that lost its data', () => {
  it('gets all unstored batches again', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    const run = await collecting.submit(texts(200));
    await empty(redis);
    await startHashWorker(redis);
    collecting.audit();
    await whenEnded(run);
    await expectWhole(run, texts(200), collecting, redis);
  });

  it('during a run loses no row and duplicates none', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder(), { shardBytes: 4000 });
    let done = 0;
    await startHashWorker(redis, {
      before: async () => {
        done += 1;
        if (done === 12) {
          await empty(redis);
          collecting.audit();
        }
      },
    });
    const run = await collecting.submit(texts(800));
    await whenEnded(run);
    expect(done).toBeGreaterThan(40);
    await expectWhole(run, texts(800), collecting, redis);
  });

  it('does not stop an upload', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    const run = await collecting.runs.create({ options: OPTIONS });
    async function* rows() {
      yield* rowsOf(texts(100));
      await empty(redis);
      yield* rowsOf(texts(100, 100));
    }
    await run.addPart({ part: 0, rows: rows(), sha256: () => 'sha' });
    await run.seal();
    await startHashWorker(redis);
    collecting.audit();
    await whenEnded(run);
    await expectWhole(run, texts(200), collecting, redis);
  });
});

describe('a result', () => {
  it('that is damaged in transit is computed again', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    let damaged = 0;
    await startHashWorker(redis, {
      tamper: (result, { batch }) => {
        if (batch !== 3 || damaged === 2) return result;
        damaged += 1;
        return result.with(100, result[100]! ^ 1);
      },
    });
    const run = await collecting.submit(texts(200));
    await whenEnded(run);
    expect(damaged).toBe(2);
    await expectWhole(run, texts(200), collecting, redis);
  });

  it('that is lost before it is collected is computed again', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder(), { waits: true });
    await startHashWorker(redis);
    const run = await collecting.submit(texts(200));
    await until(async () => (await redis.client.xlen(`{${redis.prefix}}:ready:home`)) === 10);
    await redis.client.unlink(`{${redis.prefix}}:out:${run.id}:2`, `{${redis.prefix}}:out:${run.id}:7`);
    collecting.collect();
    await whenEnded(run);
    await expectWhole(run, texts(200), collecting, redis);
  });

  it('of another model is never mixed with those of the first', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    const run = await collecting.runs.create({ options: OPTIONS });
    const first = await startHashWorker(redis);
    await run.addPart({ part: 0, rows: rowsOf(texts(20)), sha256: () => 'sha-0' });
    await until(() => run.info().batches.done === 1);
    await first.stop(1000);
    let refused = 0;
    const other = await startHashWorker(redis, {
      fingerprint: 'cd'.repeat(8),
      before: () => {
        refused += 1;
      },
    });
    await run.addPart({ part: 1, rows: rowsOf(texts(20, 20)), sha256: () => 'sha-1' });
    await run.seal();
    await until(() => refused >= 2);
    expect(run.info().batches.done).toBe(1);
    await other.stop(1000);
    await startHashWorker(redis);
    await whenEnded(run);
    await expectWhole(run, texts(40), collecting, redis);
    expect(run.info().fingerprint).toBe('ab'.repeat(8));
  });

  it('that was stored but not acknowledged is not stored twice', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder(), { shardBytes: 4000 });
    const { exchange } = collecting;
    const acknowledge = exchange.acknowledge.bind(exchange);
    let failures = 0;
    exchange.acknowledge = async (dataDirId, batches) => {
      failures += 1;
      if (failures <= 2) throw new Error('Connection is closed.');
      await acknowledge(dataDirId, batches);
    };
    await startHashWorker(redis);
    const run = await collecting.submit(texts(300));
    await whenEnded(run);
    // The run may be completed before its keys in Redis are deleted.
    await until(() => failures > 2 && collecting.credits.usedBytes === 0);
    await expectWhole(run, texts(300), collecting, redis);
  });

  it('waits in Redis while the disk is full', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    await startHashWorker(redis);
    const run = await collecting.runs.create({ options: OPTIONS });
    const { shards } = run.files;
    const store = shards.store.bind(shards);
    let failures = 0;
    shards.store = async (batches) => {
      failures += 1;
      if (failures === 1) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      await store(batches);
    };
    await run.addPart({ part: 0, rows: rowsOf(texts(100)), sha256: () => 'sha' });
    await run.seal();
    await whenEnded(run);
    expect(failures).toBe(2);
    await expectWhole(run, texts(100), collecting, redis);
  });
});

describe('a run that is ended early', () => {
  it('leaves nothing in Redis, even when workers are still busy with it', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    const gate = makeGate();
    let started = 0;
    await startHashWorker(redis, {
      before: async () => {
        started += 1;
        if (started > 3) await gate.promise;
      },
    });
    const run = await collecting.submit(texts(300));
    await until(() => started > 3);
    await run.cancel();
    expect(collecting.credits.usedBytes).toBe(0);
    gate.resolve();
    await until(async () => {
      const { waiting, active } = await collecting.queue.counts();
      return waiting + active === 0;
    });
    await until(async () => (await leftInRedis(redis)).length === 0);
    expect(run.info()).toMatchObject({ state: 'cancelled', error: null });
  });

  it('gets no more batches from an upload in progress', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    const run = await collecting.runs.create({ options: OPTIONS });
    async function* rows() {
      yield* rowsOf(texts(100));
      await until(() => run.info().batches.total === 5);
      await run.cancel();
      yield* rowsOf(texts(100, 100));
    }
    await expect(run.addPart({ part: 0, rows: rows(), sha256: () => 'sha' })).rejects.toMatchObject({
      code: 'run-ended',
    });
    expect(run.info().batches.total).toBe(5);
    expect(collecting.credits.usedBytes).toBe(0);
    expect(await leftInRedis(redis)).toEqual([]);
  });

  it('ends once, when it is sealed, completed and cancelled at the same time', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const collecting = await startCollecting(redis, dataDir);
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) {
      const run = await collecting.runs.create({ options: OPTIONS });
      await Promise.allSettled([run.seal(), run.cancel(), run.seal(), run.cancel()]);
      expect(run.isActive).toBe(false);
      ids.push(`${run.id} ${run.state} ${run.info().endedAt}`);
    }
    await collecting.stop();
    const after = await startCollecting(redis, dataDir);
    expect(
      after.runs
        .list()
        .map((run) => `${run.id} ${run.state} ${run.info().endedAt}`)
        .sort(),
    ).toEqual(ids.sort());
  });
});

describe('credit', () => {
  it('bounds the bytes in Redis, however many clients upload while nothing is collected', async () => {
    const redis = testRedis();
    const budgetBytes = 200_000;
    const collecting = await startCollecting(redis, temporaryFolder(), { waits: true, budgetBytes });
    await startHashWorker(redis);
    const run = await collecting.runs.create({ options: OPTIONS });
    const long = texts(400).map((text) => text.repeat(30));
    const uploads = [0, 1, 2, 3].map((part) =>
      run.addPart({
        part,
        rows: rowsOf(long.slice(part * 100, (part + 1) * 100)),
        sha256: () => `sha-${part}`,
      }),
    );
    await until(() => collecting.credits.waiting === 4);
    await sleep(100);
    expect(collecting.credits.usedBytes).toBeLessThanOrEqual(budgetBytes);
    expect(await bytesInRedis(redis)).toBeLessThanOrEqual(budgetBytes);
    expect(await bytesInRedis(redis)).toBeGreaterThan(0);
    collecting.collect();
    await Promise.all(uploads);
    await run.seal();
    await whenEnded(run);
    await expectWhole(run, long, collecting, redis);
  });
});

const OPTIONS: Run['options'] = {
  name: null,
  model: 'all-MiniLM-L6-v2',
  precision: 'int8',
  truncate: 'end',
  ...UNTREATED,
  batchRows: 20,
  batchTokens: 8192,
};

/** Size of all payloads and results, in bytes. */
async function bytesInRedis({ client, prefix }: TestRedis): Promise<number> {
  const keys = await client.keys(`{${prefix}}:*`);
  const sizes = await Promise.all(
    keys.filter((key) => /^\{\w+\}:(in|out):/.test(key)).map((key) => client.strlen(key)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A promise to wait for, and the function that resolves it. */
function makeGate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

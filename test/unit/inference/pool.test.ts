import { CorruptError } from '@embedmill/contract';
import { encodeBatchPayload, peekBatchResult } from '@embedmill/core/batch';
import { InferencePool } from '@embedmill/worker/inference';
import { describe, expect, test } from 'vitest';
import { DIM, embedBulk, numbered, standInPool, startedPool, vectorOf } from './stand-in.ts';

const TERMS = { precision: 'int8', truncate: 'end' } as const;

describe('embedBatch', () => {
  test('returns the vector and verdict of every row, in order', async () => {
    const { pool } = await startedPool();
    const alone = await Promise.all(['one', 'two', 'three'].map((text) => embedBulk(pool, [text])));
    const together = await embedBulk(pool, ['one', 'two', 'three'], 41);
    expect(together).toMatchObject({ batch: 41, rows: 3, dim: DIM, fingerprint: '00000000000000aa' });
    expect(together.outcomes).toEqual([3, 3, 5].map((tokens) => ({ verdict: 'ok', tokens, lostTokens: 0 })));
    for (const [row, result] of alone.entries()) expect(vectorOf(together, row)).toEqual([...result.vectors]);
    expect(new Set(together.vectors).size).toBe(9);
  });

  test('transfers the payload at once: the caller keeps an empty view', async () => {
    const { pool } = await startedPool();
    const payload = encodeBatchPayload(numbered(1, 3));
    const embedding = pool.embedBatch({ payload, batch: 0, ...TERMS });
    expect(payload.byteLength).toBe(0);
    expect(peekBatchResult(await embedding).rows).toBe(3);
  });

  test('embeds an empty batch', async () => {
    const { pool } = await startedPool();
    expect((await embedBulk(pool, [])).outcomes).toEqual([]);
  });

  test('rejects bytes that are not a payload, and continues', async () => {
    const { pool } = await startedPool();
    const payload = new Uint8Array(new ArrayBuffer(100));
    await expect(pool.embedBatch({ payload, batch: 0, ...TERMS })).rejects.toThrow(CorruptError);
    expect((await embedBulk(pool, ['next'])).rows).toBe(1);
  });

  test('runs batches that were requested before start', async () => {
    const { pool } = standInPool();
    const early = embedBulk(pool, ['early']);
    await pool.start();
    expect((await early).outcomes[0]?.verdict).toBe('ok');
  });

  test('opens the other precision at the first request, once per thread', async () => {
    const { pool, signals } = await startedPool();
    expect(signals.opened).toBe(1);
    for (const batch of [1, 2]) {
      const payload = encodeBatchPayload(['text']);
      const result = await pool.embedBatch({ payload, batch, precision: 'fp32', truncate: 'end' });
      expect(peekBatchResult(result)).toMatchObject({ batch, precision: 'fp32' });
    }
    expect(signals.opened).toBe(2);
  });

  test('rejects with the error of the other precision, and tries again with the next batch', async () => {
    const { pool, signals } = await startedPool({ maxOpens: 1 });
    for (const opened of [2, 3]) {
      const payload = encodeBatchPayload(['text']);
      await expect(
        pool.embedBatch({ payload, batch: 0, precision: 'fp32', truncate: 'end' }),
      ).rejects.toMatchObject({ name: 'EmbedError', code: 'MODEL_NOT_FOUND' });
      expect(signals.opened).toBe(opened);
    }
    expect((await embedBulk(pool, ['still here'])).rows).toBe(1);
  });

  test('leaves no thread idle while another has two batches', async () => {
    const { pool, signals } = await startedPool({ threads: 2 });
    const stuck = embedBulk(pool, ['gate!'], 0);
    await expect.poll(() => signals.atGate).toBe(1);
    const others = Array.from({ length: 9 }, (_, index) => embedBulk(pool, ['quick'], index + 1));
    // One of the nine was queued in the stuck thread; it finishes only if the other thread takes it over.
    expect((await Promise.all(others)).map(({ batch }) => batch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect({ busy: pool.busyThreads, waiting: pool.waitingBatches }).toEqual({ busy: 1, waiting: 0 });
    signals.openGate();
    expect((await stuck).batch).toBe(0);
    expect(pool.busyThreads).toBe(0);
  });

  test('counts busy threads and waiting batches', async () => {
    const { pool, signals } = await startedPool({ threads: 2 });
    const batches = Array.from({ length: 7 }, () => embedBulk(pool, ['gate!']));
    await expect.poll(() => signals.atGate).toBe(2);
    expect({ threads: pool.threads, busy: pool.busyThreads, waiting: pool.waitingBatches }).toEqual({
      threads: 2,
      busy: 2,
      waiting: 5,
    });
    signals.openGate();
    await Promise.all(batches);
    expect({ busy: pool.busyThreads, waiting: pool.waitingBatches }).toEqual({ busy: 0, waiting: 0 });
  });
});

describe('start', () => {
  test('resolves when every thread has opened its engine', async () => {
    const { pool, signals, events } = await startedPool({ threads: 3 });
    expect(signals.opened).toBe(3);
    expect(pool.readyThreads).toBe(3);
    expect(events.map(({ kind }) => kind)).toEqual(['thread-ready', 'thread-ready', 'thread-ready']);
  });

  test("fails with the engine's own error and starts no thread twice", async () => {
    const { pool, signals } = standInPool({ threads: 3, maxOpens: 1 });
    await expect(pool.start()).rejects.toMatchObject({
      name: 'EmbedError',
      code: 'MODEL_NOT_FOUND',
      message: 'the file "stand-in.onnx" is missing',
    });
    expect({ opened: signals.opened, closed: signals.closed, ready: pool.readyThreads }).toEqual({
      opened: 3,
      closed: 1,
      ready: 0,
    });
    await expect(embedBulk(pool, ['late'])).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test('fails if the model cannot be prepared', async () => {
    const { pool } = standInPool({
      prepare: () => {
        throw new Error('no such model');
      },
    });
    await expect(pool.start()).rejects.toThrow('no such model');
  });

  test('fails if the engine crashes its thread', async () => {
    const { pool } = standInPool({
      prepare: () => ({ dim: DIM, shared: new SharedArrayBuffer(64), exitAtOpen: true }),
    });
    await expect(pool.start()).rejects.toMatchObject({
      code: 'inference-thread-died',
      message: 'inference thread 0 died: the thread exited with code 4',
      retryable: true,
    });
  });

  test.each([0, -1, 1.5, Number.NaN])('rejects %d threads', (threads) => {
    expect(() => new InferencePool({ threads, prepare: () => ({}) })).toThrow(/at least 1, got/);
  });
});

describe('cores are idle for a text', () => {
  test('only while the pool has no other piece', async () => {
    const { pool, signals } = await startedPool({ threads: 2 });
    const idleCores = async () => vectorOf(await embedBulk(pool, ['cores!']), 0);
    const [yes, no] = [Array(DIM).fill(1), Array(DIM).fill(0)];
    expect(await idleCores()).toEqual(yes);
    const other = embedBulk(pool, ['gate!']);
    await expect.poll(() => signals.atGate).toBe(1);
    expect(await idleCores()).toEqual(no);
    signals.openGate();
    await other;
    expect(await idleCores()).toEqual(yes);
  });

  test('again after a thread died with a text', async () => {
    const { pool } = await startedPool({ threads: 2 });
    await embedBulk(pool, ['exit!']);
    expect(vectorOf(await embedBulk(pool, ['cores!']), 0)).toEqual(Array(DIM).fill(1));
  });
});

describe('stop', () => {
  test('finishes running batches, rejects waiting ones and closes every engine', async () => {
    const { pool, signals } = await startedPool({ threads: 2 });
    const batches = Array.from({ length: 7 }, () => embedBulk(pool, ['gate!', 'second']));
    const settled = Promise.allSettled(batches);
    await expect.poll(() => signals.atGate).toBe(2);
    const stopping = pool.stop();
    await expect(embedBulk(pool, ['too late'])).rejects.toMatchObject({ code: 'inference-stopped' });
    signals.openGate();
    await stopping;
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      expect(outcome.reason).toMatchObject({ code: 'inference-stopped', retryable: true });
    }
    expect({ opened: signals.opened, closed: signals.closed }).toEqual({ opened: 2, closed: 2 });
  });

  test('stops a stuck thread at the deadline and rejects its batch', async () => {
    const { pool, signals } = await startedPool();
    const stuck = embedBulk(pool, ['#1 hang!']);
    const handedBack = expect(stuck).rejects.toMatchObject({ retryable: true });
    await expect.poll(() => signals.log).toEqual([1]);
    await pool.stop({ deadlineMs: 50 });
    await handedBack;
    expect(pool.readyThreads).toBe(0);
  });

  test('may be called twice, and before start', async () => {
    const { pool } = await startedPool();
    await Promise.all([pool.stop(), pool.stop()]);
    await pool.stop();
    const unused = standInPool();
    await unused.pool.stop();
    await expect(unused.pool.start()).rejects.toMatchObject({ code: 'inference-stopped' });
  });
});

describe('serve', () => {
  test('replaces threads by threads with more models, and loses no batch', async () => {
    const { pool, signals } = await startedPool();
    const begun = embedBulk(pool, ['gate!'], 0);
    await expect.poll(() => signals.atGate).toBe(1);
    const queued = embedBulk(pool, ['queued'], 1);
    await pool.serve(['other']);
    // The new thread has opened both models, and the old one is still inside its text.
    expect(signals.opened).toBe(3);
    expect((await queued).rows).toBe(1);
    const payload = encodeBatchPayload(['text']);
    const other = await pool.embedBatch({ payload, batch: 2, model: 'other', ...TERMS });
    expect(peekBatchResult(other).rows).toBe(1);
    expect([signals.opened, pool.threads, pool.readyThreads]).toEqual([3, 1, 1]);
    signals.openGate();
    expect((await begun).outcomes).toMatchObject([{ verdict: 'ok' }]);
    await expect.poll(() => signals.closed).toBe(1);
  });

  test('keeps the earlier models if one cannot be opened', async () => {
    const { pool } = await startedPool({ maxOpens: 1 });
    await expect(pool.serve(['other'])).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect((await embedBulk(pool, ['still here'])).rows).toBe(1);
  });

  test('gives the batch of a replaced thread that dies to another one', async () => {
    const { pool, signals } = await startedPool();
    const begun = embedBulk(pool, ['gate! exitOnce!'], 0);
    await expect.poll(() => signals.atGate).toBe(1);
    await pool.serve(['other']);
    signals.openGate();
    expect((await begun).outcomes).toMatchObject([{ verdict: 'ok' }]);
  });
});

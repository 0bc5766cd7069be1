import { describe, expect, test } from 'vitest';
import { DIM, embedBulk, numbered, startedPool } from './stand-in.ts';

const OPTIONS = { precision: 'int8', truncate: 'end' } as const;

/** Waits one turn of the event loop, after which the pieces of `embedTexts` have been sent to the threads. */
const handedOver = () => new Promise(setImmediate);

describe('embedTexts', () => {
  test('returns vectors and verdicts in the order of the texts, for any number of texts', async () => {
    const { pool } = await startedPool({ threads: 2 });
    const texts = numbered(1, 101);
    const interactive = await pool.embedTexts(texts, OPTIONS);
    const bulk = await embedBulk(pool, texts);
    expect(interactive.vectors).toEqual(bulk.vectors);
    expect(interactive.outcomes).toEqual(bulk.outcomes);
  });

  test('returns no vectors for no texts', async () => {
    const { pool } = await startedPool();
    expect(await pool.embedTexts([], OPTIONS)).toMatchObject({ vectors: new Float32Array(0), outcomes: [] });
  });

  test('overtakes bulk between two texts of the running batch', async () => {
    const { pool, signals } = await startedPool();
    const bulk = embedBulk(pool, ['#1 gate!', ...numbered(2, 9)]);
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['#100', '#101'], OPTIONS);
    await handedOver();
    signals.openGate();
    await Promise.all([bulk, interactive]);
    expect(signals.log).toEqual([1, 100, 101, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('overtakes bulk between two chunks of a long text', async () => {
    const { pool, signals } = await startedPool();
    const bulk = embedBulk(pool, ['#1 gate! chunks!', '#2']);
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['#100', '#101'], OPTIONS);
    await handedOver();
    signals.openGate();
    const { outcomes } = await bulk;
    await interactive;
    expect(signals.log).toEqual([1, 100, 101, 2]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
  });

  test('overtakes a batch queued in the thread and one queued in the pool', async () => {
    const { pool, signals } = await startedPool();
    const bulk = [1, 2, 3, 4].map((batch) => embedBulk(pool, [`#${batch} gate!`], batch));
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['#100'], OPTIONS);
    await handedOver();
    signals.openGate();
    await Promise.all([...bulk, interactive]);
    expect(signals.log).toEqual([1, 100, 2, 3, 4]);
  });

  test('is answered before the batch that it interrupted', async () => {
    const { pool, signals } = await startedPool();
    const order: string[] = [];
    const bulk = embedBulk(pool, ['gate!', 'last']).then(() => order.push('bulk'));
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['question'], OPTIONS).then(() => order.push('interactive'));
    await handedOver();
    signals.openGate();
    await Promise.all([bulk, interactive]);
    expect(order).toEqual(['interactive', 'bulk']);
  });

  test('spreads the texts of one call over the threads', async () => {
    const { pool, signals } = await startedPool({ threads: 3 });
    const call = pool.embedTexts(['gate!', 'gate!', 'gate!'], OPTIONS);
    // All three are at the gate at once, so each is in a different thread.
    await expect.poll(() => signals.atGate).toBe(3);
    expect(pool.busyThreads).toBe(3);
    signals.openGate();
    expect((await call).vectors).toHaveLength(3 * DIM);
  });

  test('goes to the idle thread', async () => {
    const { pool, signals } = await startedPool({ threads: 2 });
    const bulk = embedBulk(pool, ['gate!']);
    await expect.poll(() => signals.atGate).toBe(1);
    for (let call = 0; call < 5; call++) {
      expect((await pool.embedTexts(['question'], OPTIONS)).outcomes).toHaveLength(1);
    }
    signals.openGate();
    await bulk;
  });

  test('rejects when its signal aborts; texts that were not begun are never embedded', async () => {
    const { pool, signals } = await startedPool();
    const bulk = embedBulk(pool, ['#1 gate!', '#2']);
    await expect.poll(() => signals.atGate).toBe(1);
    const abort = new AbortController();
    const call = pool.embedTexts(numbered(100, 150), { ...OPTIONS, signal: abort.signal });
    await handedOver();
    abort.abort(new Error('the client went away'));
    await expect(call).rejects.toThrow('the client went away');
    signals.openGate();
    await bulk;
    expect(signals.log).toEqual([1, 2]);
  });

  test('rejects if its signal has already aborted', async () => {
    const { pool } = await startedPool();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(pool.embedTexts(['text'], { ...OPTIONS, signal })).rejects.toThrow('gone');
  });

  test('stops between two texts of the running piece', async () => {
    const { pool, signals } = await startedPool();
    const abort = new AbortController();
    const call = pool.embedTexts(['#1 gate!', '#2', '#3'], { ...OPTIONS, signal: abort.signal });
    await expect.poll(() => signals.atGate).toBe(1);
    abort.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    signals.openGate();
    await embedBulk(pool, ['#9']);
    expect(signals.log).toEqual([1, 9]);
  });
});

import type { InferencePool } from '@embedmill/worker/inference';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineSignals, embedBulk, numbered, standInPool, startedPool, vectorOf } from './stand-in.ts';

/**
 * Expects each row to have the vector it has alone, and poison rows the verdict `failed` and a vector of
 * zeros.
 */
async function expectOnlyFailed(pool: InferencePool, texts: readonly string[], failed: readonly number[]) {
  const result = await embedBulk(pool, texts, 5);
  const failedRows = result.outcomes.flatMap(({ verdict }, row) => (verdict === 'failed' ? [row] : []));
  expect(failedRows).toEqual(failed);
  const good = texts.filter((_, row) => !failed.includes(row));
  const clean = await embedBulk(pool, good);
  let next = 0;
  for (const row of texts.keys()) {
    expect(vectorOf(result, row)).toEqual(failed.includes(row) ? [0, 0, 0] : vectorOf(clean, next++));
  }
  return result;
}

describe('a text that makes the engine throw', () => {
  test('fails alone and leaves no partial vector', async () => {
    const { pool, count } = await startedPool();
    const texts = numbered(1, 9);
    texts[4] = 'scribble!';
    texts[8] = 'throw!';
    const result = await expectOnlyFailed(pool, texts, [4, 8]);
    expect(result.outcomes[8]).toEqual({
      verdict: 'failed',
      tokens: 0,
      lostTokens: 0,
      message: 'the engine threw: told to throw',
    });
    expect(count('thread-died')).toBe(0);
  });
});

describe('a text that crashes its thread', () => {
  test.each([
    { word: 'exit!', reason: 'the thread exited with code 3' },
    { word: 'uncaught!', reason: 'told to fail later' },
    {
      word: 'heap!',
      reason: 'Worker terminated due to reaching memory limit: JS heap out of memory',
      maxHeapMb: 16,
    },
    { word: 'hang!', reason: 'the thread finished no text for 3000 ms', stuckAfterMs: 3000 },
  ])('is found after three threads and fails alone ($word)', async ({ word, reason, ...options }) => {
    const { pool, events, count } = await startedPool(options);
    const texts = numbered(1, 40);
    texts[17] = word;
    const result = await expectOnlyFailed(pool, texts, [17]);
    expect(result).toMatchObject({ batch: 5, rows: 40 });
    expect(result.outcomes[17]?.message).toBe(
      `this text crashed every inference thread that embedded it: ${reason}`,
    );
    expect(count('thread-died')).toBe(3);
    expect(events).toContainEqual({ kind: 'row-isolated', batch: 5, row: 17, reason });
  });

  test('is not one that needs the heap that its model states', async () => {
    const { pool, count } = await startedPool({ maxHeapMb: 16, heapMb: 200 });
    const { outcomes } = await embedBulk(pool, ['some-heap!']);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['ok']);
    expect(count('thread-died')).toBe(0);
    const { pool: small } = await startedPool({ maxHeapMb: 16 });
    expect((await embedBulk(small, ['some-heap!'])).outcomes[0]).toMatchObject({ verdict: 'failed' });
  });

  test('does not affect the batch queued behind it', async () => {
    const { pool, signals } = await startedPool();
    const [bad, good] = await Promise.all([
      embedBulk(pool, ['#1', '#2 exit!', '#3'], 1),
      embedBulk(pool, numbered(11, 13), 2),
    ]);
    expect(bad.outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'failed', 'ok']);
    expect(good.outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok']);
    // The good batch ran once and uncut: it was sent again and never a suspect.
    expect(signals.log.filter((number) => number > 10)).toEqual([11, 12, 13]);
  });

  test('does not make an interrupted bulk batch a suspect if it is interactive', async () => {
    const { pool, signals, events } = await startedPool();
    const bulk = embedBulk(pool, ['#1 gate!', '#2'], 1);
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['fine', 'exit!'], { precision: 'int8', truncate: 'end' });
    // The pool sends interactive texts in a later turn of the event loop; the gate must not open before.
    await new Promise(setImmediate);
    signals.openGate();
    expect((await interactive).outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'failed']);
    expect((await bulk).outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
    expect(events.filter(({ kind }) => kind === 'row-isolated')).toMatchObject([{ batch: 0, row: 1 }]);
  });

  test('is isolated at any position, in any number, on any number of threads, in packs of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('good', 'good', 'good', 'exit!', 'throw!'), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 2 }),
        fc.constantFrom(0, 1, 3, 20),
        async (words, threads, packRows) => {
          const { pool, count } = standInPool({ threads, packRows });
          await pool.start();
          const bad = words.flatMap((word, row) => (word === 'good' ? [] : [row]));
          await expectOnlyFailed(pool, words, bad);
          const exits = words.filter((word) => word === 'exit!').length;
          expect(count('row-isolated')).toBe(exits);
          expect(count('thread-died')).toBeLessThanOrEqual(exits * 3);
          await pool.stop();
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('rows that are computed together', () => {
  test('fail alone if one of them makes the engine throw', async () => {
    const { pool, count } = await startedPool({ packRows: 4 });
    const texts = numbered(1, 9);
    texts[2] = 'scribble!';
    await expectOnlyFailed(pool, texts, [2]);
    expect(count('thread-died')).toBe(0);
  });

  test('let an interactive text run between two packs', async () => {
    const { pool, signals } = await startedPool({ packRows: 2 });
    const bulk = embedBulk(pool, ['#1 gate!', '#2', '#3', '#4']);
    await expect.poll(() => signals.atGate).toBe(1);
    const interactive = pool.embedTexts(['#9'], { precision: 'int8', truncate: 'end' });
    // The pool sends interactive texts in a later turn of the event loop; the gate must not open before.
    await new Promise(setImmediate);
    signals.openGate();
    await Promise.all([bulk, interactive]);
    expect(signals.log).toEqual([1, 2, 9, 3, 4]);
  });
});

describe('an engine that crashes its thread while it opens', () => {
  test('costs the batch two threads and is not a row verdict', async () => {
    const { shared } = new EngineSignals();
    const { pool, count } = await startedPool({
      prepare: (precision) => ({ dim: 3, shared, exitAtOpen: precision === 'fp32' }),
    });
    const options = { precision: 'fp32', truncate: 'end' } as const;
    await expect(pool.embedTexts(['a', 'b'], options)).rejects.toMatchObject({
      code: 'inference-thread-died',
      retryable: true,
    });
    expect(count('thread-died')).toBe(2);
    expect((await embedBulk(pool, ['int8 still works'])).outcomes[0]?.verdict).toBe('ok');
  });
});

describe('threads that cannot be replaced', () => {
  test('make the pool give up after a few attempts and reject waiting batches', async () => {
    const { pool, signals, events, count } = await startedPool({
      threads: 2,
      maxOpens: 2,
      maxFailedStarts: 4,
    });
    const batches = await Promise.allSettled(
      Array.from({ length: 5 }, () => embedBulk(pool, ['good', 'exit!'])),
    );
    for (const batch of batches) {
      expect(batch).toMatchObject({
        status: 'rejected',
        reason: { code: 'inference-gave-up', retryable: true },
      });
    }
    expect({ died: count('thread-died'), refused: count('thread-refused') }).toEqual({ died: 2, refused: 4 });
    // No further attempt is made, except for threads that were already opening.
    expect(signals.opened).toBeLessThanOrEqual(2 + 4 + 1);
    expect(events.at(-1)).toMatchObject({
      kind: 'gave-up',
      error: {
        message: 'none of 2 inference threads can be started: the file "stand-in.onnx" is missing',
      },
    });
    await expect(embedBulk(pool, ['later'])).rejects.toMatchObject({ code: 'inference-gave-up' });
  });

  test('do not stop the others, and the pool keeps trying', async () => {
    const { pool, count } = await startedPool({ threads: 2, maxOpens: 2, maxFailedStarts: 1 });
    expect((await embedBulk(pool, ['exitOnce!'])).outcomes[0]?.verdict).toBe('ok');
    await expect.poll(() => count('thread-refused')).toBeGreaterThan(2);
    expect(pool.readyThreads).toBe(1);
    expect((await embedBulk(pool, ['good'])).outcomes[0]?.verdict).toBe('ok');
  });
});

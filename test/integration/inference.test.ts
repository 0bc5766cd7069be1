/**
 * Tests the inference pool on the real engine: equal bytes on any threads, and a process that survives dead
 * threads.
 */

import type { Precision } from '@embedmill/contract';
import { type BatchResult, decodeBatchResult, encodeBatchPayload } from '@embedmill/core/batch';
import { type PreparedModel, prepareModel } from '@embedmill/embed';
import { type InferenceEvent, InferencePool, type InferencePoolOptions } from '@embedmill/worker/inference';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AWKWARD_TEXTS, EMPTY_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';
import { cacheDir } from '../unit/embed/models.ts';

const OPTIONS = { precision: 'int8', truncate: 'end' } as const;
const TEXTS = [...PLAIN_TEXTS, ...AWKWARD_TEXTS, ...EMPTY_TEXTS, longText(40), longText(400)];

const models = {} as Record<Precision, PreparedModel>;

beforeAll(async () => {
  for (const precision of ['int8', 'fp32'] as const) {
    models[precision] = await prepareModel({ precision, cacheDir });
  }
});

async function startedPool(options: Partial<InferencePoolOptions> = {}): Promise<InferencePool> {
  const pool = new InferencePool({ threads: 2, prepare: (precision) => models[precision], ...options });
  onTestFinished(() => pool.stop());
  await pool.start();
  return pool;
}

async function embedBulk(
  pool: InferencePool,
  texts: readonly string[],
  options: { precision: Precision; truncate: 'end' } = OPTIONS,
): Promise<BatchResult> {
  return decodeBatchResult(
    await pool.embedBatch({ payload: encodeBatchPayload(texts), batch: 0, ...options }),
  );
}

/** Returns the bytes of each row's vector in hexadecimal. */

function rowBytes(vectors: Float32Array, rows: number): string[] {
  const bytes = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const size = bytes.length / rows;
  return Array.from({ length: rows }, (_, row) => bytes.toString('hex', row * size, (row + 1) * size));
}

/** Returns a map from text to vector bytes, with each text embedded alone. */
async function oneByOne(pool: InferencePool, precision: Precision): Promise<Map<string, string>> {
  const bytes = new Map<string, string>();
  for (const text of TEXTS) {
    const { vectors } = await embedBulk(pool, [text], { precision, truncate: 'end' });
    bytes.set(text, rowBytes(vectors, 1).join());
  }
  return bytes;
}

describe('reproducibility', () => {
  test.each(['int8', 'fp32'] as const)(
    'a text has the same %s bytes in any batch, order, lane and number of threads',
    async (precision) => {
      const alone = await oneByOne(await startedPool({ threads: 1, precision }), precision);
      const pools = await Promise.all([1, 2, 3].map((threads) => startedPool({ threads, precision })));
      const batch = fc.record({
        texts: fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 7 }),
        lane: fc.constantFrom('bulk', 'bulk', 'interactive'),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(batch, { minLength: 1, maxLength: 6 }),
          fc.constantFrom(...pools),
          async (batches, pool) => {
            const options = { precision, truncate: 'end' } as const;
            const results = await Promise.all(
              batches.map(({ texts, lane }) =>
                lane === 'bulk' ? embedBulk(pool, texts, options) : pool.embedTexts(texts, options),
              ),
            );
            for (const [index, { texts }] of batches.entries()) {
              const vectors = results[index]?.vectors ?? new Float32Array(0);
              expect(rowBytes(vectors, texts.length)).toEqual(texts.map((text) => alone.get(text)));
            }
          },
        ),
        { numRuns: 20 },
      );
    },
  );

  test('int8 and fp32 run side by side in one pool and differ', async () => {
    const pool = await startedPool();
    const [int8, fp32] = await Promise.all([
      embedBulk(pool, PLAIN_TEXTS),
      embedBulk(pool, PLAIN_TEXTS, { precision: 'fp32', truncate: 'end' }),
    ]);
    expect(int8.fingerprint).toBe(models.int8.fingerprint);
    expect(fp32.fingerprint).toBe(models.fp32.fingerprint);
    expect(int8.vectors).not.toEqual(fp32.vectors);
  });
});

describe('verdicts', () => {
  test('arrive with token counts: ok, truncated, empty', async () => {
    const pool = await startedPool({ threads: 1 });
    const { outcomes } = await embedBulk(pool, [PLAIN_TEXTS[0], longText(400), '']);
    expect(outcomes).toMatchObject([
      { verdict: 'ok', lostTokens: 0 },
      { verdict: 'truncated', tokens: 256, lostTokens: expect.closeTo(146, -1) },
      { verdict: 'empty', tokens: 0 },
    ]);
  });
});

describe('the life of threads', () => {
  test('16 pools start, embed and stop in one process without a memory leak', async () => {
    const cycle = async () => {
      const pool = await startedPool();
      await Promise.all([embedBulk(pool, PLAIN_TEXTS), embedBulk(pool, PLAIN_TEXTS)]);
      await pool.stop();
    };
    for (let done = 0; done < 4; done++) await cycle();
    const before = process.memoryUsage().rss;
    for (let done = 0; done < 12; done++) await cycle();
    // A session is 30 MB and more: 24 that stayed would be over 700 MB.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(250);
  });

  test('threads stopped during a batch exit after their current text and do not crash the process', async () => {
    for (let done = 0; done < 3; done++) {
      const deaths: InferenceEvent[] = [];
      const onEvent = (event: InferenceEvent) => event.kind === 'thread-died' && deaths.push(event);
      const pool = await startedPool({ onEvent });
      const batches = [1, 2, 3].map(() => embedBulk(pool, Array(400).fill(longText(400))));
      const settled = Promise.allSettled(batches);
      // An interactive text is answered between two bulk texts: its thread is in the middle of a batch.
      await pool.embedTexts(PLAIN_TEXTS.slice(0, 1), OPTIONS);
      await pool.stop({ deadlineMs: 0 });
      const codes = (await settled).map((batch) => batch.status === 'rejected' && batch.reason.code);
      expect(codes.sort()).toEqual(['inference-stopped', 'inference-stopped', 'inference-stopped']);
      expect(deaths.length).toBeGreaterThan(0);
    }
  });

  test("a missing model file fails the start with the engine's message", async () => {
    const prepare = () => ({ ...models.int8, modelPath: '/nowhere/model.onnx' });
    const pool = new InferencePool({ threads: 2, prepare });
    await expect(pool.start()).rejects.toMatchObject({
      name: 'EmbedError',
      message: expect.stringContaining('/nowhere/model.onnx'),
    });
  });
});

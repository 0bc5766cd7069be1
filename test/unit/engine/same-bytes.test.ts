/** A text has the same bytes on every kernel, in every pack and on every thread. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ExactModel, planPacks } from '@embedmill/engine';
import { describe, expect, it } from 'vitest';
import {
  availableKernels,
  type EncoderShape,
  MINILM_SHAPE,
  packOf,
  randomTexts,
  randomWeightFile,
  SMALL_SHAPE,
} from '../../support/encoder.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const available = availableKernels();

/** Vectors of all texts, embedded in packs of up to `packTokens`; 0: each text alone. */
function embedAll(model: ExactModel, texts: readonly Int32Array[], packTokens: number): Float32Array {
  const vectors = new Float32Array(texts.length * model.dim);
  let first = 0;
  for (const end of planPacks(
    texts.map((ids) => ids.length),
    packTokens,
  )) {
    model.embedInto(packOf(texts.slice(first, end)), vectors, first * model.dim);
    first = end;
  }
  return vectors;
}

function digest(vectors: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength))
    .digest('hex');
}

/** Digests of all texts for every kernel of this machine and every pack size, by `kernel packTokens`. */
function digests(
  path: string,
  texts: readonly Int32Array[],
  packs: (kernel: string) => readonly number[],
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const kernel of available) {
    const model = ExactModel.open(path, { kernel });
    for (const packTokens of packs(kernel)) {
      result[`${kernel} ${packTokens}`] = digest(embedAll(model, texts, packTokens));
    }
    model.close();
  }
  return result;
}

/** Every length from 1 to `max` once and `more` short ones, shuffled. */
function mixedLengths(max: number, more: number): number[] {
  const random = seededRandom(7);
  const lengths = Array.from({ length: max }, (_, i) => i + 1);
  for (let i = 0; i < more; i++) lengths.push(1 + Math.floor(random() * 24));
  for (let i = lengths.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [lengths[i], lengths[j]] = [lengths[j]!, lengths[i]!];
  }
  return lengths;
}

/** The scalar kernel is slow, and other tests compete with it for the cores. */
const TIMEOUT_MS = 180_000;

describe.skipIf(available.length === 0)('the exact engine', { timeout: TIMEOUT_MS }, () => {
  it('gives 2,200 texts of all lengths one digest on every kernel, in every pack', () => {
    const texts = randomTexts(mixedLengths(256, 1944), SMALL_SHAPE.vocabulary);
    expect(texts).toHaveLength(2200);
    const all = digests(randomWeightFile(SMALL_SHAPE), texts, (kernel) =>
      kernel === 'scalar' ? [0, 256] : [0, 31, 128, 256, 1000, 4096],
    );
    expect(Object.keys(all).length).toBeGreaterThanOrEqual(2);
    // The arithmetic's definition: whoever changes it raises ARITHMETIC_REVISION.
    expect(new Set(Object.values(all))).toEqual(
      new Set(['5aad0cf0984286e225ebef87523f48cfc60dd71c087717bdef260a5774ec3a04']),
    );
  });

  it('does so with the layers of all-MiniLM-L6-v2', () => {
    const lengths = [...mixedLengths(24, 170), 127, 128, 129, 191, 255, 256];
    const texts = randomTexts(lengths, MINILM_SHAPE.vocabulary);
    const all = digests(randomWeightFile(MINILM_SHAPE), texts, (kernel) =>
      kernel === 'scalar' ? [256] : [0, 1000],
    );
    expect(new Set(Object.values(all))).toEqual(
      new Set(['44b145ca7e414a50c6bccf7d19e581247bc927274c39537e1912a5995c5f9981']),
    );
  });

  it.each<[string, EncoderShape]>([
    ['one head of 64', { ...SMALL_SHAPE, heads: 1 }],
    ['8 heads of 64, [CLS] pooling', { ...SMALL_SHAPE, width: 512, heads: 8, inner: 2048, pooling: 'cls' }],
    ['a width of 768', { ...SMALL_SHAPE, layers: 1, width: 768, heads: 12, inner: 3072 }],
    ['an inner layer of one panel', { ...SMALL_SHAPE, inner: 16 }],
    ['512 positions', { ...SMALL_SHAPE, positions: 512 }],
    ['a width of 320, which no block divides', { ...SMALL_SHAPE, width: 320, heads: 10, inner: 1040 }],
  ])('does so with %s', (_, shape) => {
    const lengths = [1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, shape.positions];
    const texts = randomTexts(lengths, shape.vocabulary);
    const all = digests(randomWeightFile(shape), texts, (kernel) =>
      kernel === 'scalar' ? [100] : [0, 100, 4096],
    );
    expect(new Set(Object.values(all)).size, JSON.stringify(all)).toBe(1);
  });

  it('does so on several threads at once, over one copy of the weights', async () => {
    const path = randomWeightFile(SMALL_SHAPE);
    const texts = randomTexts(mixedLengths(64, 100), SMALL_SHAPE.vocabulary);
    const model = ExactModel.open(path);
    const expected = digest(embedAll(model, texts, 256));
    const workers = Array.from({ length: 4 }, (_, i) => {
      const kernel = available[i % available.length]!;
      return new Worker(EMBED_IN_THREAD, { eval: true, workerData: { path, kernel, texts } });
    });
    const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    expect(answers.map((vectors: Float32Array) => digest(vectors))).toEqual(Array(4).fill(expected));
    model.close();
  });

  it('does so with the help of other threads', () => {
    const path = randomWeightFile(SMALL_SHAPE);
    const texts = randomTexts(mixedLengths(256, 100), SMALL_SHAPE.vocabulary);
    const alone = ExactModel.open(path);
    const expected = texts.map((ids) => digest(alone.embed(packOf([ids]))));
    alone.close();
    for (const kernel of available.filter((name) => name !== 'scalar')) {
      for (const threads of [2, 3, 4]) {
        const model = ExactModel.open(path, { kernel, threads });
        const helped = texts.map((ids) => digest(model.embed(packOf([ids]), { useIdleCores: true })));
        model.close();
        expect(helped, `${kernel}, ${threads} threads`).toEqual(expected);
      }
    }
  });

  it('has unit vectors', () => {
    const model = ExactModel.open(randomWeightFile(SMALL_SHAPE));
    const texts = randomTexts([1, 9, 250], SMALL_SHAPE.vocabulary);
    const vectors = model.embed(packOf(texts));
    for (let i = 0; i < texts.length; i++) {
      const length = Math.hypot(...vectors.subarray(i * model.dim, (i + 1) * model.dim));
      expect(length).toBeCloseTo(1, 5);
    }
  });
});

/** What a thread runs: every text alone, ten times over, so that the threads overlap. */
const EMBED_IN_THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
import('@embedmill/engine').then(({ ExactModel }) => {
  const { path, kernel, texts } = workerData;
  const model = ExactModel.open(path, { kernel });
  const vectors = new Float32Array(texts.length * model.dim);
  for (let round = 0; round < 10; round++) {
    texts.forEach((ids, i) => {
      model.embedInto({ ids, lengths: Int32Array.of(ids.length) }, vectors, i * model.dim);
    });
  }
  model.close();
  parentPort.postMessage(vectors);
});`;

/**
 * Tests the embedder with the built-in model: vectors, verdicts, reproducibility, and the accuracy of int8.
 */

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Truncate } from '@embedmill/contract';
import { checkGolden, Embedder, prepareModel } from '@embedmill/embed';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, cacheDir, cosine, openBuiltIn, vectorOf } from './models.ts';

const sentences = readFileSync(new URL('../../fixtures/embed/sentences.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

describe('the vector of a text', () => {
  test('starts with the published values of the model in fp32', async () => {
    const vector = await vectorOf(await openBuiltIn('fp32'), 'hello world');
    // sentence-transformers and ONNX publish these to four decimals.
    const published = [-0.0345, 0.0311, 0.0067, 0.0261, -0.0395];
    published.forEach((value, i) => {
      expect(Math.abs(vector[i]! - value)).toBeLessThan(2e-4);
    });
  });

  test('has length 1 and separates related texts from unrelated ones', async () => {
    const embedder = await openBuiltIn('int8');
    const [kettle, pot, tram] = await Promise.all(
      ['The kettle leaks.', 'Water runs out of the teapot.', 'The tram was late again.'].map((text) =>
        vectorOf(embedder, text),
      ),
    );
    for (const vector of [kettle!, pot!, tram!]) expect(cosine(vector, vector)).toBeCloseTo(1, 5);
    expect(cosine(kettle!, pot!)).toBeGreaterThan(cosine(kettle!, tram!) + 0.2);
  });

  test('is written at the offset and nowhere else', async () => {
    const embedder = await openBuiltIn('int8');
    const target = new Float32Array(3 * 384).fill(7);
    await embedder.embed('hello world', target, 384);
    expect(target.subarray(0, 384).every((value) => value === 7)).toBe(true);
    expect(target.subarray(768).every((value) => value === 7)).toBe(true);
    expect(bytesOf(target.subarray(384, 768))).toBe(bytesOf(await vectorOf(embedder, 'hello world')));
  });
});

describe('the verdict of a text', () => {
  const long = 'one more word '.repeat(200);
  const embed = async (text: string, truncate?: Truncate) => {
    const embedder = await openBuiltIn('int8');
    const target = new Float32Array(384).fill(7);
    return { ...(await embedder.embed(text, target, 0, { truncate })), target };
  };
  const zeros = new Float32Array(384);

  test('is ok, with the number of tokens that the model received', async () => {
    expect(await embed('hello world')).toMatchObject({ verdict: 'ok', tokens: 4, lostTokens: 0 });
  });

  test.each(['', '  \n', '\u200b', '\ud800'])('is empty for %j, and the target holds zeros', async (text) => {
    expect(await embed(text)).toEqual({ verdict: 'empty', tokens: 0, lostTokens: 0, target: zeros });
  });

  test('is truncated beyond 256 tokens, at either end', async () => {
    const end = await embed(long);
    const start = await embed(long, 'start');
    for (const outcome of [end, start]) {
      expect(outcome).toMatchObject({ verdict: 'truncated', tokens: 256 });
      expect(outcome.lostTokens).toBeGreaterThan(340);
      expect(outcome.lostTokens).toBeLessThan(352);
    }
    expect(bytesOf(end.target)).not.toBe(bytesOf(start.target));
  });

  test('is failed beyond 256 tokens with truncate: error, with the number of tokens', async () => {
    expect(await embed(long, 'error')).toMatchObject({
      verdict: 'failed',
      tokens: 0,
      target: zeros,
      message: expect.stringMatching(/^the text has about 60\d tokens, expected at most 256$/),
    });
    expect(await embed('word '.repeat(254), 'error')).toMatchObject({ verdict: 'ok', tokens: 256 });
    expect(await embed('word '.repeat(255), 'error')).toMatchObject({ verdict: 'failed' });
  });

  test('comes with exact token counts beyond the limit', async () => {
    const embedder = await openBuiltIn('int8');
    expect(embedder.countTokens(long)).toBe(602);
    expect(embedder.countTokens('')).toBe(2);
  });

  test('is an error after close', async () => {
    const embedder = await Embedder.open(await prepareModel({ precision: 'int8', cacheDir }));
    await embedder.close();
    await embedder.close();
    await expect(embedder.embed('late', new Float32Array(384), 0)).rejects.toMatchObject({
      code: 'EMBEDDER_CLOSED',
    });
  });
});

describe('reproducibility', () => {
  test.each(['int8', 'fp32'] as const)(
    '%s: any order, any neighbors and any embedder give the same bytes',
    async (precision) => {
      const [one, other] = [await openBuiltIn(precision), await openBuiltIn(precision)];
      const expected = new Map<string, string>();
      for (const text of sentences) expected.set(text, bytesOf(await vectorOf(one, text)));
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray(sentences, { minLength: 1, maxLength: 6 }),
          fc.string(),
          async (some, noise) => {
            for (const text of some) {
              await vectorOf(other, noise);
              expect(bytesOf(await vectorOf(other, text))).toBe(expected.get(text));
            }
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  test('concurrent texts do not mix', async () => {
    const embedder = await openBuiltIn('int8');
    const together = await Promise.all(sentences.map((text) => vectorOf(embedder, text)));
    for (const [i, text] of sentences.entries()) {
      expect(bytesOf(together[i]!)).toBe(bytesOf(await vectorOf(embedder, text)));
    }
  });

  test('another thread returns the same bytes', async () => {
    const model = await prepareModel({ precision: 'int8', cacheDir });
    const worker = new Worker(
      `import { parentPort, workerData } from 'node:worker_threads';
       const { Embedder } = await import(workerData.engine);
       const embedder = await Embedder.open(workerData.model);
       const target = new Float32Array(workerData.texts.length * 384);
       for (const [i, text] of workerData.texts.entries()) await embedder.embed(text, target, i * 384);
       await embedder.close();
       parentPort.postMessage(target, [target.buffer]);`,
      {
        eval: true,
        execArgv: ['--input-type=module'],
        workerData: {
          engine: new URL('../../../packages/embed/dist/index.js', import.meta.url).href,
          model,
          texts: sentences,
        },
      },
    );
    const vectors = await new Promise<Float32Array>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    const embedder = await openBuiltIn('int8');
    for (const [i, text] of sentences.entries()) {
      expect(bytesOf(vectors.subarray(i * 384, (i + 1) * 384))).toBe(bytesOf(await vectorOf(embedder, text)));
    }
  });
});

describe('int8', () => {
  test('is close to fp32 on sentences outside the calibration set', async () => {
    const [int8, fp32] = [await openBuiltIn('int8'), await openBuiltIn('fp32')];
    const cosines: number[] = [];
    for (const text of sentences)
      cosines.push(cosine(await vectorOf(int8, text), await vectorOf(fp32, text)));
    expect(cosines.reduce((sum, value) => sum + value, 0) / cosines.length).toBeGreaterThan(0.997);
    expect(Math.min(...cosines)).toBeGreaterThan(0.99);
  });
});

describe('the golden check', () => {
  test.each(['int8', 'fp32'] as const)('passes %s', async (precision) => {
    const report = await checkGolden(await openBuiltIn(precision));
    expect(report).toMatchObject({ ok: true, sentences: 9 });
    expect(report.worstCosine).toBeGreaterThan(report.requiredCosine);
  });

  test('fails for a model with another token limit', async () => {
    const model = await prepareModel({ precision: 'int8', cacheDir });
    const embedder = await Embedder.open({ ...model, maxTokens: 128 });
    const report = await checkGolden(embedder);
    await embedder.close();
    expect(report.ok).toBe(false);
    expect(report.message).toMatch(
      /"The lighthouse keeper .*…" has cosine 0\.\d+ to its recorded vector, expected 0\.975/,
    );
  });

  test('fails for an int8 file in place of fp32', async () => {
    const model = await prepareModel({ precision: 'int8', engine: 'onnx', cacheDir });
    const fp32 = await prepareModel({ precision: 'fp32', cacheDir });
    // An int8 file in place of fp32.
    const embedder = await Embedder.open({ ...fp32, modelPath: model.modelPath });
    expect(await checkGolden(embedder)).toMatchObject({ ok: false });
    await embedder.close();
  });
});

/** Tests static models: folders with tables whose vectors are computed by hand, and tables made from a small BERT. */

import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Treatment, UNTREATED } from '@embedmill/contract';
import { availableKernels, distill, Embedder, prepareModel, writeStaticFolder } from '@embedmill/embed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readVocabulary, tokenWeights } from '../../../packages/embed/src/distill/distill.ts';
import { principalComponents } from '../../../packages/embed/src/distill/principal-components.ts';
import { StaticRunner } from '../../../packages/embed/src/embedder/static-runner.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tokenizerFile } from './colours.ts';
import { bytesOf, cacheDir, vectorOf } from './models.ts';
import { floats, safetensorsFile } from './safetensors-file.ts';
import { smallBertFolder } from './small-bert.ts';

/** Rows of [PAD], [UNK], [CLS], [SEP], red, green, blue; the first four must not count. */
const ROWS = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 3, 0, 0, 0, 4, 0, 0, 0, 0];
const EMBEDDINGS = { embeddings: floats([7, 3], ROWS) };

/** Writes a folder in the layout of model2vec. */
async function staticFolder(
  tensors: Parameters<typeof safetensorsFile>[0] = EMBEDDINGS,
  tokenizer: object = tokenizerFile,
): Promise<string> {
  const root = join(temporaryFolder(), 'colours');
  await mkdir(root);
  writeFileSync(join(root, 'config.json'), JSON.stringify({ model_type: 'model2vec', normalize: true }));
  writeFileSync(join(root, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(root, 'model.safetensors'), safetensorsFile(tensors));
  return root;
}

async function open(folder: string): Promise<Embedder> {
  const embedder = await Embedder.open(await prepareModel({ model: folder, precision: 'int8', cacheDir }));
  onTestFinished(() => embedder.close());
  return embedder;
}

describe('a static model', () => {
  test('gives the normalized mean of the rows of known tokens, without special tokens', async () => {
    const embedder = await open(await staticFolder());
    expect(embedder.model).toMatchObject({ name: 'colours', engine: 'static', dim: 3, maxTokens: 512 });
    expect(await vectorOf(embedder, 'Red, GREEN violet!')).toEqual(Float32Array.of(0.6, 0.8, 0));
    expect(await vectorOf(embedder, 'green red red')).toEqual(
      Float32Array.of(6 / Math.sqrt(52), 4 / Math.sqrt(52), 0),
    );
  });

  test('gives the verdict empty to a text of unknown tokens, and fails one whose rows are zeros', async () => {
    const embedder = await open(await staticFolder());
    const target = new Float32Array(6).fill(7);
    expect(await embedder.embedPack(['violet', 'red', 'blue'], new Float32Array(9), 0)).toMatchObject([
      { verdict: 'empty', tokens: 1, unknownTokens: 1, message: expect.stringContaining('unknown') },
      { verdict: 'ok', tokens: 1 },
      { verdict: 'failed', message: expect.stringContaining('no finite vector') },
    ]);
    expect(await embedder.embed('blue', target, 3)).toMatchObject({ verdict: 'failed', tokens: 0 });
    expect([...target]).toEqual([7, 7, 7, 0, 0, 0]);
  });

  test('reads 512 known tokens', async () => {
    const embedder = await open(await staticFolder());
    const outcome = await embedder.embed('violet red '.repeat(600), new Float32Array(3), 0);
    expect(outcome).toMatchObject({ verdict: 'truncated', tokens: 1024, unknownTokens: 512, lostTokens: 88 });
  });

  test('counts the unknown tokens that it ignores, with prompts and in chunks', async () => {
    const embedder = await open(await staticFolder());
    const outcomeOf = (text: string, treatment: Partial<Treatment<never>> = {}) =>
      embedder.embed(text, new Float32Array(3), 0, { treatment: { ...UNTREATED, ...treatment } });
    expect(await outcomeOf('红 red')).toEqual({
      verdict: 'ok',
      tokens: 2,
      lostTokens: 0,
      unknownTokens: 1,
      script: 'Chinese',
    });
    expect(await outcomeOf('red')).not.toHaveProperty('unknownTokens');
    expect(await outcomeOf(' ')).toEqual({ verdict: 'empty', tokens: 0, lostTokens: 0 });
    expect(await outcomeOf('红色的')).toMatchObject({ verdict: 'empty', tokens: 3, unknownTokens: 3 });
    expect(await outcomeOf('红 red', { prompt: 'violet: ' })).toMatchObject({ tokens: 4, unknownTokens: 3 });
    expect(await outcomeOf('红 red. '.repeat(600), { long: 'mean' })).toMatchObject({
      chunks: 2,
      tokens: 1800,
      unknownTokens: 1200,
    });
  });

  test('applies weights and a mapping of tokens to rows', async () => {
    const mapping = BigInt64Array.of(0n, 0n, 0n, 0n, 1n, 2n, 1n);
    const embedder = await open(
      await staticFolder({
        embeddings: floats([3, 2], [9, 9, 1, 0, 0, 1]),
        weights: floats([7], [9, 9, 9, 9, 3, 8, 0.5]),
        mapping: { dtype: 'I64', shape: [7], bytes: new Uint8Array(mapping.buffer) },
      }),
    );
    expect(await vectorOf(embedder, 'red green')).toEqual(
      Float32Array.of(3 / Math.sqrt(73), 8 / Math.sqrt(73)),
    );
    expect(await vectorOf(embedder, 'blue')).toEqual(Float32Array.of(1, 0));
  });

  test('has one fingerprint in every precision, and another with other files', async () => {
    const prepare = async (folder: string, precision: 'int8' | 'fp32' = 'int8') =>
      (await prepareModel({ model: folder, precision, cacheDir })).fingerprint;
    const folder = await staticFolder();
    const fingerprint = await prepare(folder);
    expect(await prepare(folder, 'fp32')).toBe(fingerprint);
    expect(await prepare(await staticFolder())).toBe(fingerprint);
    expect(await prepare(await staticFolder({ embeddings: floats([7, 3], [...ROWS].reverse()) }))).not.toBe(
      fingerprint,
    );
    expect(await prepare(await staticFolder(EMBEDDINGS, { ...tokenizerFile, version: '1.1' }))).not.toBe(
      fingerprint,
    );
  });

  test.each([
    ['no table', { other: floats([1], [1]) }, 'of shape none, expected rows x dimensions'],
    ['a flat table', { embeddings: floats([2], [1, 2]) }, 'of shape 2, expected rows x dimensions'],
    [
      'a mapping to a row that is missing',
      {
        embeddings: floats([1, 1], [1]),
        mapping: { dtype: 'I32', shape: [2], bytes: new Uint8Array(Int32Array.of(0, 1).buffer) },
      },
      'maps a token to row 1, expected 0 to 0',
    ],
    [
      'a mapping of floats',
      { embeddings: floats([1, 1], [1]), mapping: floats([1], [0]) },
      'tensor "mapping" of',
    ],
  ])('is rejected with %s', async (_, tensors, message) => {
    await expect(
      prepareModel({ model: await staticFolder(tensors), precision: 'int8', cacheDir }),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining(message) });
  });

  test('fails a text with a token beyond the table', async () => {
    const embedder = await open(await staticFolder({ embeddings: floats([5, 3], ROWS.slice(0, 15)) }));
    const outcomes = await embedder.embedPack(['red', 'green'], new Float32Array(6), 0);
    expect(outcomes).toMatchObject([{ verdict: 'ok' }, { verdict: 'failed' }]);
  });

  test.skipIf(availableKernels().length === 0).each([1, 16, 37, 256])(
    'has the same bytes in JavaScript and in the addon with %i dimensions',
    async (dim) => {
      const random = seededRandom(dim);
      const rows = 50;
      const modelPath = join(temporaryFolder(), 'model.safetensors');
      const values = Array.from({ length: rows * dim }, () => (random() - 0.5) * 10 ** (8 * random()));
      writeFileSync(modelPath, safetensorsFile({ embeddings: floats([rows, dim], values) }));
      const texts = Array.from({ length: 200 }, () =>
        Array.from({ length: 1 + Math.floor(40 * random()) }, () => Math.floor(rows * random())),
      );
      const [native, plain] = await Promise.all(
        [true, false].map(async (isNative) => {
          const vectors = new Float32Array(1 + texts.length * dim);
          (await StaticRunner.open({ modelPath, dim }, { native: isNative })).run(texts, vectors, 1);
          return bytesOf(vectors);
        }),
      );
      expect(native).toBe(plain);
    },
  );
});

describe('principal components', () => {
  test('are the axes of a cloud, the longest first', () => {
    const random = seededRandom(3);
    const [long, short] = [
      [0.6, 0, 0.8],
      [0.8, 0, -0.6],
    ] as const;
    const points = Array.from({ length: 203 }, () => {
      const [a, b] = [10 * (random() - 0.5), 2 * (random() - 0.5)];
      return [0, 1, 2].map((i) => [5, 6, 7][i]! + a * long[i]! + b * short[i]!);
    });
    const all = Float32Array.from(points.flat());
    const { mean, directions } = principalComponents(all, 3, [...points.keys()], 2);
    for (const i of [0, 1, 2]) {
      expect(mean[i]).toBeCloseTo(points.reduce((sum, point) => sum + point[i]!, 0) / points.length, 4);
    }
    const cosine = (a: Float64Array, b: readonly number[]) =>
      Math.abs(b.reduce((sum, value, i) => sum + value * a[i]!, 0));
    expect(cosine(directions[0]!, long)).toBeGreaterThan(0.999);
    expect(cosine(directions[1]!, short)).toBeGreaterThan(0.999);
  });
});

describe('distilling', () => {
  const vocabulary = readVocabulary(JSON.stringify(tokenizerFile));

  test('leaves out special and unused tokens', () => {
    const file = { ...tokenizerFile, model: { vocab: { ...tokenizerFile.model.vocab, '[unused0]': 7 } } };
    expect(readVocabulary(JSON.stringify(file))).toEqual([
      ...[undefined, undefined, undefined, undefined],
      ...['red', 'green', 'blue', undefined],
    ]);
    const unigram = { model: { vocab: [['<s>', 0] as const, ['▁a', -1] as const] }, added_tokens: [] };
    expect(readVocabulary(JSON.stringify(unigram))).toEqual(['<s>', '▁a']);
  });

  test('gives frequent tokens small weights: the first words, and punctuation', () => {
    const weights = tokenWeights([undefined, '.', '東', 'the', 'of', ...Array(5000).fill('rare')]);
    expect(weights[1]).toBe(weights[3]);
    expect(weights[3]).toBeLessThan(weights[4]!);
    expect(weights[4]).toBeLessThan(weights[1000]!);
    expect(weights[2]).toBe(1);
  });

  test('keeps the distances of the token vectors', async () => {
    const source = await open(smallBertFolder());
    const progress: number[][] = [];
    const onProgress = (done: number, all: number) => void progress.push([done, all]);
    const { rows } = await distill(source, { dim: 2, onProgress });
    expect(progress.at(-1)).toEqual([3, 3]);
    expect([...rows.subarray(0, 8)]).toEqual(Array(8).fill(0));
    // Three centred points lie in a plane: two dimensions lose nothing.
    const weights = tokenWeights(vocabulary);
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(...a.map((value, i) => value - b[i]!));
    const row = (id: number) =>
      Array.from(rows.subarray(2 * id, 2 * id + 2), (value) => value / weights[id]!);
    const vector = async (id: number) => {
      const target = new Float32Array(source.model.dim);
      await source.embed([id], target, 0);
      return [...target];
    };
    for (const [a, b] of [
      [4, 5],
      [5, 6],
      [4, 6],
    ] as const) {
      expect(distance(row(a), row(b))).toBeCloseTo(distance(await vector(a), await vector(b)), 5);
    }

    const folder = join(temporaryFolder(), 'made');
    await writeStaticFolder(folder, { rows, dim: 2 }, source.model);
    const made = await vectorOf(await open(folder), 'green');
    const [x, y] = rows.subarray(10, 12) as unknown as [number, number];
    expect(made[0]).toBeCloseTo(x / Math.hypot(x, y), 3);
    expect(made[1]).toBeCloseTo(y / Math.hypot(x, y), 3);
    await expect(writeStaticFolder(folder, { rows, dim: 2 }, source.model)).rejects.toMatchObject({
      code: 'CACHE_UNWRITABLE',
    });
  });

  test('refuses more dimensions than the model or the vocabulary has', async () => {
    const embedder = await open(smallBertFolder());
    await expect(distill(embedder, { dim: 25 })).rejects.toThrow('expected at most 3');
  });
});

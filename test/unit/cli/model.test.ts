/** `embedmill model` with a small BERT: adding, using and rejecting models. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { addedModels, keepModel, modelFolder, readModelFacts } from '@embedmill/embed/added-models';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ModelCheck } from '../../../apps/cli/src/commands/model/check.ts';
import { embedmillHere } from '../../support/embedmill-here.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { smallBertFolder } from '../embed/small-bert.ts';

describe('embedmill model', () => {
  // One cache for all tests: the built-in model is compiled into it once.
  const cache = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
  afterAll(() => rmSync(cache, { recursive: true, force: true }));
  const run = (...args: string[]) => embedmillHere(['model', ...args], { env: { EMBEDMILL_CACHE: cache } });

  test('add installs a folder under a name', async () => {
    const folder = smallBertFolder();
    const added = await run('add', folder, '--name', 'colours', '--json');
    expect(added).toMatchObject({ code: 0, stderr: '' });
    const copy = join(cache, 'models', 'colours');
    expect(JSON.parse(added.stdout)).toMatchObject({ name: 'colours', folder: copy, unavailable: [] });
    // Random weights relate no language; its unrelated texts are measured all the same.
    expect(JSON.parse(added.stdout)).toMatchObject({ languages: [], problems: [expect.any(String)] });
    expect(await readModelFacts('colours', cache)).toEqual({
      languages: [],
      baseline: { mean: expect.any(Number), spread: expect.any(Number), pairs: 224 },
    });
    const byPath = await prepareModel({ model: folder, precision: 'fp32', cacheDir: cache });
    rmSync(folder, { recursive: true });
    const byName = await prepareModel({ model: 'colours', precision: 'fp32', cacheDir: cache });
    expect(byName).toMatchObject({ name: 'colours', fingerprint: byPath.fingerprint });

    const info = await run('info', 'colours');
    expect(info.stdout).toMatch(/^limit +12 tokens \(config\.json\)$/m);
    expect(info.stdout).toMatch(/^weights .*\(model\.safetensors, compiled\)$/m);
    expect(info.stdout).toMatch(/^languages +none of eight that were measured$/m);
    expect(info.stdout).toMatch(/^unrelated +cosine -?\d\.\d\d ± \d\.\d\d$/m);

    const list = await run('list', '--json');
    expect(JSON.parse(list.stdout)).toMatchObject([
      { name: 'all-MiniLM-L6-v2', precision: 'int8', dim: 384, maxTokens: 256 },
      { name: 'all-MiniLM-L6-v2', precision: 'fp32', dim: 384, maxTokens: 256 },
      { name: 'colours', precision: 'int8', dim: 24, maxTokens: 12 },
      { name: 'colours', precision: 'fp32', dim: 24, maxTokens: 12, fingerprint: byPath.fingerprint },
    ]);
  });

  test('check compares int8 with fp32, and related sentences with unrelated ones', async () => {
    const { code, stdout } = await run('check', 'all-MiniLM-L6-v2', '--json');
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as { checks: ModelCheck[] };
    expect(checks).toMatchObject([
      { precision: 'int8', problems: [] },
      { precision: 'fp32', problems: [], worstToFp32: null },
    ]);
    expect(checks[0]!.worstToFp32).toBeGreaterThan(0.97);
    for (const { languages } of checks) {
      expect(languages).toHaveLength(8);
      expect(languages[0]).toMatchObject({
        language: 'English',
        meanings: 8,
        wordings: 8,
        translations: null,
      });
      expect(languages.at(-1)).toMatchObject({ language: 'Thai', wordings: 0 });
    }
    const facts = await readModelFacts(undefined, cache);
    expect(facts!.baseline.mean).toBeCloseTo(checks[0]!.baseline.mean, 1);
    expect(facts!.baseline.spread).toBeCloseTo(checks[0]!.baseline.spread, 1);
  });

  test('check fails a model that relates no language, and one with other vectors than its reference', async () => {
    const folder = smallBertFolder();
    const garbage = await run('check', folder);
    expect(garbage.code).toBe(1);
    expect(garbage.stdout).toContain('fp32: FAILED');
    expect(garbage.stdout).toMatch(/all sentences have the same vector|it relates no language/);

    const model = await prepareModel({ model: folder, precision: 'fp32', cacheDir: cache });
    const embedder = await Embedder.open(model);
    onTestFinished(() => embedder.close());
    const vector = new Float32Array(24);
    await embedder.embed('red blue', vector, 0);
    const reference = join(temporaryFolder(), 'reference.json');
    const write = (edit: object) =>
      writeFileSync(
        reference,
        JSON.stringify({ texts: [{ text: 'red blue', ids: [2, 4, 6, 3], vector: [...vector], ...edit }] }),
      );
    const lineOf = async () => (await run('check', folder, '--reference', reference)).stdout;
    write({});
    expect(await lineOf()).toMatch(/1 reference texts: token ids of 1 equal, cosine at least 1\.00000/);
    write({ ids: [2, 5, 6, 3], vector: [...vector].reverse() });
    expect(await lineOf()).toMatch(/"red blue" has cosine -?0\.\d+ to its reference, expected 0\.9999/);
    expect(await lineOf()).toContain('"red blue" has the token ids 2 4 6 3, expected 2 5 6 3');
    write({ vector: [1] });
    expect(await lineOf()).toContain('has 1 numbers, the model gives 24');
    writeFileSync(reference, '{"texts":[]}');
    expect((await run('check', folder, '--reference', reference)).code).toBe(2);
  });

  test('add rejects an invalid folder, and leaves no files', async () => {
    const folder = smallBertFolder();
    rmSync(join(folder, 'model.safetensors'));
    const { code, stderr } = await run('add', folder, '--name', 'hollow');
    expect(code).toBe(1);
    // Whichever file was meant to be there, its name is among those that are missed.
    expect(stderr).toContain(`int8: the model folder "${folder}" has no "onnx/model_quantized.onnx"`);
    expect(stderr).toContain(`fp32: the model folder "${folder}" has no "onnx/model.onnx"`);
    expect(existsSync(join(cache, 'models', 'hollow'))).toBe(false);
  });

  test('add tries the model on a sentence, with its tokenizer', async () => {
    const folder = smallBertFolder();
    writeFileSync(join(folder, 'tokenizer.json'), '{}');
    const { code, stderr } = await run('add', folder, '--name', 'mute');
    expect(code).toBe(1);
    expect(stderr).toContain('tokenizer.json" is not a supported tokenizer');
    expect(existsSync(join(cache, 'models', 'mute'))).toBe(false);
  });

  test('embed rejects a model that is neither added nor a folder as a usage error', async () => {
    const texts = join(temporaryFolder(), 'a.txt');
    writeFileSync(texts, 'red\n');
    const { code, stderr } = await embedmillHere(
      ['embed', texts, '--to', `${texts}.npy`, '--model', 'violet'],
      {
        env: { EMBEDMILL_CACHE: cache },
      },
    );
    expect(code).toBe(2);
    expect(stderr).toContain('there is no model folder "violet", and no installed model of that name');
  });
});

describe('added models', () => {
  test('contain only files of the model, once per name', async () => {
    const cacheDir = temporaryFolder();
    const folder = smallBertFolder();
    mkdirSync(join(folder, '.git'));
    writeFileSync(join(folder, 'pytorch_model.bin'), 'unused');
    const copy = await keepModel(folder, 'one', cacheDir);
    expect(readdirSync(copy).sort()).toEqual([
      '1_Pooling',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    await expect(keepModel(folder, 'one', cacheDir)).rejects.toThrow('a model named "one" already exists');
    const both = await Promise.allSettled([1, 2].map(() => keepModel(folder, 'two', cacheDir)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(join(cacheDir, 'models')).sort()).toEqual(['one', 'two']);
    expect(await addedModels(cacheDir)).toEqual(['one', 'two']);
  });

  test.each(['', '.hidden', '../up', 'a/b', 'a b', 'all-MiniLM-L6-v2'])(
    'cannot be called %j',
    async (name) => {
      const cacheDir = temporaryFolder();
      await expect(keepModel(smallBertFolder(), name, cacheDir)).rejects.toMatchObject({
        code: 'MODEL_INVALID',
      });
      expect(await addedModels(cacheDir)).toEqual([]);
    },
  );

  test('are found by name only; a path remains a path', async () => {
    const cacheDir = temporaryFolder();
    const copy = await keepModel(smallBertFolder(), 'one', cacheDir);
    expect(modelFolder('one', cacheDir)).toBe(copy);
    expect(modelFolder('./one', cacheDir)).toBe(join(process.cwd(), 'one'));
    expect(modelFolder('other', cacheDir)).toBe(join(process.cwd(), 'other'));
    // The built-in one needs no folder, whatever it is asked for by.
    expect(modelFolder('all-MiniLM-L6-v2', cacheDir)).toBeUndefined();
  });
});

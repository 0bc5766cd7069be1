/** Tests the compiler of the built-in model and its cache. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describe, expect, test } from 'vitest';
import {
  checkedWeights,
  compileBuiltIn,
  GRAPH_REVISION,
} from '../../../packages/embed/src/prepare/built-in.ts';
import { cachedFile } from '../../../packages/embed/src/prepare/cache.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';
import { smallBertFolder } from './small-bert.ts';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

describe('compiling', () => {
  // A fingerprint must never stand for two different files. If one of these changes, increase GRAPH_REVISION.
  test.each([
    ['fp32', 127, '8263cdf1c7cce28e'],
    ['int8', 127, '6e0f8f7b7b13c3f8'],
    ['int8', 63, '601f999cd2840643'],
  ] as const)(
    '%s with weights up to %d has the bytes of this revision, every time',
    async (precision, limit, expected) => {
      expect(GRAPH_REVISION).toBe(1);
      expect(digest(await compileBuiltIn(precision, limit))).toBe(expected);
      expect(digest(await compileBuiltIn(precision, limit))).toBe(expected);
    },
  );
});

/** Names in the cache folder, without the folder of small results. */
function compiledFiles(cacheDir: string): string[] {
  return readdirSync(cacheDir).filter((name) => name !== 'small');
}

describe('the model cache', () => {
  test('compiles once, and again if the file is damaged, truncated or without its seal', async () => {
    const cacheDir = join(temporaryFolder(), 'deep', 'cache');
    const options = { model: smallBertFolder(), precision: 'int8', cacheDir } as const;
    const { modelPath } = await prepareModel(options);
    const whole = readFileSync(modelPath);
    const damages: [string, () => void][] = [
      [
        'one byte',
        () => writeFileSync(modelPath, whole.with(whole.length >> 1, whole[whole.length >> 1]! ^ 1)),
      ],
      ['cut', () => truncateSync(modelPath, 1000)],
      ['empty', () => truncateSync(modelPath, 0)],
      ['gone', () => rmSync(modelPath)],
      ['no seal', () => rmSync(`${modelPath}.json`)],
    ];
    for (const [name, damage] of damages) {
      damage();
      expect((await prepareModel(options)).modelPath).toBe(modelPath);
      expect(readFileSync(modelPath).equals(whole), name).toBe(true);
    }
    expect(compiledFiles(cacheDir)).toHaveLength(2);
  });

  test('does not build an existing file', async () => {
    const folder = temporaryFolder();
    const builds: string[] = [];
    const build = async () => {
      builds.push('build');
      return Buffer.from('content');
    };
    const path = await cachedFile(folder, 'model.onnx', build);
    await cachedFile(folder, 'model.onnx', build);
    expect(readFileSync(path, 'utf8')).toBe('content');
    expect(builds).toEqual(['build']);
  });

  test('leaves no partial file after a failed build', async () => {
    const folder = temporaryFolder();
    await expect(
      cachedFile(folder, 'model.onnx', () => Promise.reject(new Error('no weights'))),
    ).rejects.toThrow('no weights');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('reports that it cannot write', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(prepareModel({ precision: 'int8', cacheDir: join(folder, 'file') })).rejects.toMatchObject({
      code: 'CACHE_UNWRITABLE',
    });
  });

  test('is filled by three processes at the same time', async () => {
    const cacheDir = temporaryFolder();
    const script = `
      import { prepareModel } from '@embedmill/embed';
      const { fingerprint } = await prepareModel({ precision: 'int8', cacheDir: process.argv[1] });
      process.stdout.write(fingerprint);`;
    const exits = await Promise.all(
      [1, 2, 3].map(() => startNode(['--input-type=module', '-e', script, cacheDir]).waitForExit()),
    );
    expect(exits).toEqual([1, 2, 3].map(() => ({ code: 0, signal: null })));
    expect(compiledFiles(cacheDir)).toHaveLength(2);
    const embedder = await Embedder.open(await prepareModel({ precision: 'int8', cacheDir }));
    await embedder.close();
  });
});

test('weights other than the measured ones are refused', () => {
  expect(() => checkedWeights('/w/model.safetensors', 'abc')).toThrow(
    'the weights "/w/model.safetensors" have the SHA-256 abc, expected 6638f625',
  );
});

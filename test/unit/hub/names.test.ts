/** Names of models on the hub, and the prompts that a treatment takes from a model. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import {
  hubModelName,
  promptOf,
  readModelName,
  servedModelName,
  treatmentOf,
  UNTREATED,
} from '@embedmill/contract';
import { vectorFingerprint } from '@embedmill/core/batch';
import { prepareModel } from '@embedmill/embed';
import { keepModel, modelFolder } from '@embedmill/embed/added-models';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { smallBertFolder } from '../embed/small-bert.ts';

describe('a model name', () => {
  it('is owner/name with an optional revision, and nothing that is a path', () => {
    expect(readModelName('BAAI/bge-small-zh-v1.5')).toEqual({
      repository: 'BAAI/bge-small-zh-v1.5',
      revision: null,
    });
    expect(readModelName('a/b@refs/pr/1')).toEqual({ repository: 'a/b', revision: 'refs/pr/1' });
    for (const other of [
      'a',
      'a/b/c',
      '/a/b',
      '../b',
      './b',
      'a/..',
      'a/b@',
      'a/b@../c',
      'a b/c',
      'a/b\n',
      'a\\b/c',
    ]) {
      expect(readModelName(other), other).toBeNull();
    }
  });

  it('may be a short name, and is served by its last part', () => {
    expect(hubModelName('chinese')?.repository).toBe('BAAI/bge-small-zh-v1.5');
    expect(hubModelName('klingon')).toBeNull();
    const served = [
      'chinese',
      'BAAI/bge-small-zh-v1.5@main',
      '/models/bge-small-zh-v1.5/',
      'bge-small-zh-v1.5',
    ];
    expect(served.map(servedModelName)).toEqual(served.map(() => 'bge-small-zh-v1.5'));
  });

  it('of the built-in model on the hub means the built-in model', () => {
    expect(modelFolder('sentence-transformers/all-MiniLM-L6-v2', temporaryFolder())).toBeUndefined();
  });
});

describe('the prompt of a text', () => {
  const prompts = { query: 'query: ', document: 'passage: ' };

  it('is that of the model for documents, unless the treatment says otherwise', () => {
    expect(promptOf(UNTREATED, prompts)).toBe('passage: ');
    expect(promptOf({ prompt: '', inputType: 'query' }, prompts)).toBe('query: ');
    expect(promptOf({ prompt: '', inputType: 'none' }, prompts)).toBe('');
    expect(promptOf({ prompt: 'title: ', inputType: 'query' }, prompts)).toBe('title: ');
  });

  it('makes queries and documents comparable, and texts without it not', () => {
    const fingerprintOf = (inputType: 'document' | 'query' | 'none') =>
      vectorFingerprint('0123456789abcdef', { ...UNTREATED, inputType });
    expect(fingerprintOf('document')).toBe('0123456789abcdef');
    expect(fingerprintOf('query')).toBe(fingerprintOf('document'));
    expect(fingerprintOf('none')).not.toBe(fingerprintOf('document'));
    expect(treatmentOf({ ...UNTREATED, inputType: 'document' })).toEqual(UNTREATED);
  });

  it('comes from the folder, else from the catalogue, also under another name; it is in the fingerprint', async () => {
    const cacheDir = temporaryFolder();
    const prepare = (model: string) => prepareModel({ model, precision: 'fp32', cacheDir });
    const plain = await prepare(smallBertFolder());
    expect(plain).toMatchObject({ prompts: { query: '', document: '' } });

    const stated = { prompts: { query: 'red ', passage: 'blue ' } };
    const own = await prepare(smallBertFolder({ 'config_sentence_transformers.json': stated }));
    expect(own).toMatchObject({ prompts: { query: 'red ', document: 'blue ' } });
    expect(own.fingerprint).not.toBe(plain.fingerprint);

    const folder = smallBertFolder();
    const e5 = join(folder, '..', 'multilingual-e5-small');
    cpSync(folder, e5, { recursive: true });
    const byPath = await prepare(e5);
    expect(byPath.prompts).toEqual(prompts);
    await keepModel(e5, 'mine', cacheDir);
    expect(await prepare('mine')).toMatchObject({ prompts, fingerprint: byPath.fingerprint });

    const wrong = smallBertFolder({ 'config_sentence_transformers.json': { prompts: { query: 7 } } });
    await expect(prepare(wrong)).rejects.toThrow(/^the prompt "query" in ".*" is not a text of at most 500/);
  });
});

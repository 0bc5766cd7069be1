/** Tests that the native tokenizer gives the ids of the library, and takes only the files of which it can. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableKernels, prepareModel } from '@embedmill/embed';
import { TOKENIZER_UNICODE } from '@embedmill/engine';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileDigest } from '../../../packages/embed/src/prepare/file-digest.ts';
import { tokenizerDigest } from '../../../packages/embed/src/prepare/fingerprint.ts';
import { shareTokenizer } from '../../../packages/embed/src/prepare/share-tokenizer.ts';
import { TextTokenizer } from '../../../packages/embed/src/text/tokenizer.ts';
import { type WordPieceFile, wordPieceOptions } from '../../../packages/embed/src/text/wordpiece.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { differentIds, scriptTexts, wordsOf } from '../../support/script-texts.ts';
import { AWKWARD_TEXTS, EMPTY_TEXTS } from '../../support/texts.ts';
import { cacheDir } from './models.ts';

const SEED = 20261128;
/** `npm run test:engine` compares many more texts. */
const TEXTS = 1_500;

/** The addon is built, and the library has the same Unicode version. */
const isComparable = availableKernels().length > 0 && process.versions.unicode === TOKENIZER_UNICODE;

let path: string;
let file: WordPieceFile & { model: { vocab: Record<string, number> } };

beforeAll(async () => {
  ({ tokenizerPath: path } = await prepareModel({ precision: 'int8', cacheDir }));
  file = JSON.parse(readFileSync(path, 'utf8'));
});

/** Writes a tokenizer.json with some fields changed; returns its path. */
function changed(change: (copy: typeof file) => void): string {
  const copy = structuredClone(file);
  change(copy);
  const target = join(temporaryFolder(), 'tokenizer.json');
  writeFileSync(target, JSON.stringify(copy));
  return target;
}

describe('the ids of the native tokenizer are those of the library', () => {
  test.runIf(isComparable).each<[string, (copy: typeof file) => void]>([
    ['with the built-in model', () => {}],
    ['in letters of both cases', ({ normalizer }) => Object.assign(normalizer!, { lowercase: false })],
    [
      'with accents stripped in letters of both cases',
      ({ normalizer }) => Object.assign(normalizer!, { lowercase: false, strip_accents: true }),
    ],
    ['with accents', ({ normalizer }) => Object.assign(normalizer!, { strip_accents: false })],
    [
      'with ideographs inside words',
      ({ normalizer }) => Object.assign(normalizer!, { handle_chinese_chars: false }),
    ],
    ['with short words', ({ model }) => Object.assign(model, { max_input_chars_per_word: 4 })],
    [
      'with added tokens that contain each other and occur in the vocabulary',
      (copy) => {
        for (const [i, content] of ['the', 'then', '日', '▁x', 'é'].entries())
          copy.added_tokens.push({ id: 900 + i, content, special: true, normalized: false });
      },
    ],
  ])('%s', async (_, change) => {
    const source = changed(change);
    const native = await TextTokenizer.read(source, 512);
    const library = await TextTokenizer.read(source, 512, { native: false });
    expect([native.isNative, library.isNative]).toEqual([true, false]);
    const texts = [...AWKWARD_TEXTS, ...EMPTY_TEXTS, ...scriptTexts(SEED, TEXTS, wordsOf(file.model.vocab))];
    expect(differentIds(native, library, texts)).toEqual([]);
  });

  test.runIf(isComparable)('for a text that is longer than all buffers', async () => {
    const native = await TextTokenizer.read(path, 256);
    expect(native.count(`${'a '.repeat(50_000)}${'\u{1d15e}'.repeat(5000)}`)).toBe(50_003);
  });
});

describe.skipIf(!isComparable)('a tokenizer that threads share', () => {
  test('gives the results of one that reads its file, after its way through a message', async () => {
    const own = await TextTokenizer.read(path, 64);
    const shared = TextTokenizer.openShared(structuredClone((await shareTokenizer(path))!), 64);
    const texts = [...AWKWARD_TEXTS, ...EMPTY_TEXTS, ...scriptTexts(SEED, 300, wordsOf(file.model.vocab))];
    for (const text of texts) {
      for (const truncate of ['start', 'end'] as const)
        expect(shared.encode(text, truncate, 'query: ')).toEqual(own.encode(text, truncate, 'query: '));
      expect(shared.tokens(text, { specialTokens: true })).toEqual(own.tokens(text, { specialTokens: true }));
    }
    expect(shared.describeUnknownId([0, 30_521])).toBeUndefined();
    expect(shared.describeUnknownId([30_522])).toBe(own.describeUnknownId([30_522]));
    expect(shared.isNative).toBe(true);
  });

  test.each<[string, (copy: typeof file) => void]>([
    ['of which the native tokenizer has no settings', (copy) => Object.assign(copy.model, { type: 'BPE' })],
    [
      'with an added token that takes the name of another one',
      ({ added_tokens }) => added_tokens.push({ id: 900, content: 'the', special: true, normalized: false }),
    ],
  ])('is not made of a file %s', async (_, change) => {
    expect(await shareTokenizer(changed(change))).toBeUndefined();
  });
});

describe('files that the native tokenizer refuses', () => {
  test.each<[string, (copy: typeof file) => void]>([
    ['another normalizer', (copy) => Object.assign(copy.normalizer!, { type: 'Lowercase' })],
    ['no clean-up of texts', (copy) => Object.assign(copy.normalizer!, { clean_text: false })],
    ['another pre-tokenizer', (copy) => Object.assign(copy.pre_tokenizer!, { type: 'Whitespace' })],
    ['another model', (copy) => Object.assign(copy.model, { type: 'BPE' })],
    ['another prefix', (copy) => Object.assign(copy.model, { continuing_subword_prefix: '@@' })],
    ['no unknown token', (copy) => Object.assign(copy.model, { unk_token: '[NONE]' })],
    ['fused unknown tokens', (copy) => Object.assign(copy.model, { fuse_unk: true })],
    [
      'added tokens that are normalized',
      (copy) => Object.assign(copy.added_tokens[0]!, { normalized: true }),
    ],
    ['added tokens with white space', (copy) => Object.assign(copy.added_tokens[0]!, { content: 'a b' })],
    ['added tokens with a sigma', (copy) => Object.assign(copy.added_tokens[0]!, { content: 'σ' })],
  ])('%s', (_, change) => {
    expect(wordPieceOptions(file)).toBeDefined();
    const copy = structuredClone(file);
    change(copy);
    expect(wordPieceOptions(copy)).toBeUndefined();
  });
});

test.runIf(process.versions.unicode === TOKENIZER_UNICODE)(
  'the character tables are those of this Node.js, which has the pinned Unicode version',
  async () => {
    const { unicodeTables } = await import('../../../packages/engine/scripts/unicode-tables.mjs');
    const header = new URL('../../../packages/engine/native/unicode-tables.h', import.meta.url);
    expect(readFileSync(header, 'utf8')).toBe(unicodeTables());
  },
);

describe.skipIf(availableKernels().length === 0)('the digest of a tokenizer', () => {
  test('contains the Unicode version of Node.js only where the library depends on another one', async () => {
    const [native, other] = [
      path,
      changed(({ normalizer }) => Object.assign(normalizer!, { clean_text: false })),
    ];
    expect(await tokenizerDigest(native, '16.0')).toBe(await fileDigest(native));
    expect(await tokenizerDigest(other, TOKENIZER_UNICODE)).toBe(await fileDigest(other));
    const digests = ['16.0', '18.0'].map((unicode) => tokenizerDigest(other, unicode));
    expect(new Set([...(await Promise.all(digests)), await fileDigest(other)]).size).toBe(3);
  });
});

/**
 * Tests Unigram and byte BPE tokenizers. The expected ids were computed by the Rust library `tokenizers` 0.23.3
 * from the same file.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextTokenizer } from '../../../packages/embed/src/text/tokenizer.ts';
import { UnigramTokenizer } from '../../../packages/embed/src/text/unigram/unigram.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { byteBpeFile, unigramFile } from '../../support/unigram-file.ts';

const FILE = unigramFile(
  [
    ['▁', -3],
    ['▁query', -6],
    [':', -4],
    ['▁red', -5],
    ['red', -5.5],
    ['▁re', -7],
    ['d', -6],
    ['▁blue', -5],
    ['e', -5],
    ['é', -6],
    ['宫', -8],
    ['颈', -8],
    ['宫颈', -9],
    ['癌', -8],
    ['カ', -7],
    ['ガ', -7],
    ['a', -5],
    ['aa', -6],
    ['aaa', -7.5],
    ['ab', -6.25],
    ['b', -6],
  ],
  {
    '\t': ' ',
    '\n': ' ',
    '\u3000': ' ',
    'e\u0301': 'é',
    ﬁ: 'fi',
    Ａ: 'a',
    '\u200b': ' ',
    '\u00ad': '',
    '①': '1',
    // NFKC joins these, the reference does not: together they have 6 bytes.
    'カ\u3099': 'ガ',
    '\r': ' ',
  },
);

/** Texts and the ids of the reference. */
const EXPECTED: [text: string, ids: number[]][] = [
  ['red', [7]],
  ['  red   blue ', [7, 11, 4]],
  ['redred', [7, 8]],
  ['xx red xx yy', [4, 3, 7, 4, 3, 4, 3]],
  ['e\u0301 \uff21 \ufb01', [4, 13, 4, 20, 4, 3]],
  ['宫颈癌', [4, 16, 17]],
  ['宫癌颈', [4, 14, 17, 15]],
  ['\u30ab\u3099\u30ac', [4, 18, 19, 19]],
  ['aaaaaaaaaa', [4, 21, 21, 22, 22]],
  ['aab', [4, 20, 23]],
  ['tab\tred\r\nblue', [4, 3, 23, 7, 11]],
  ['red<s>red</s> <unk>', [7, 0, 7, 2, 4, 3]],
  ['red\u00adred\u200bblue', [7, 8, 11]],
  ['\u2460\uff21\u3000red', [4, 3, 20, 7]],
  ['▁red▁', [7, 4]],
  ['e\u0301\u0301', [4, 13]],
  ['\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67 red', [4, 3, 7]],
];

async function tokenizerOf(file: object, maxTokens = 512): Promise<TextTokenizer> {
  const path = join(temporaryFolder(), 'tokenizer.json');
  writeFileSync(path, JSON.stringify(file));
  return await TextTokenizer.read(path, maxTokens);
}

const unigram = UnigramTokenizer.read(Buffer.from(JSON.stringify(FILE)))!;

describe('a Unigram tokenizer', () => {
  test.each(EXPECTED)('gives %j the ids of the reference', (text, ids) => {
    expect(unigram.encode(text).ids).toEqual(ids);
  });

  test('frames texts with its special tokens, and knows the text of every id', async () => {
    const tokenizer = await tokenizerOf(FILE);
    expect(tokenizer.tokens('red 宫', { specialTokens: true }).map(({ text }) => text)).toEqual([
      '<s>',
      '▁red',
      '▁',
      '宫',
      '</s>',
    ]);
    expect(tokenizer.describeUnknownId([4, 24, 25])).toBe(
      'token id 25 at position 2 is not in the vocabulary',
    );
  });

  test('reads the pieces of a file that is written with spaces and escapes', () => {
    const plain = JSON.stringify(FILE, null, 2).replaceAll('é', '\\u00e9');
    expect(UnigramTokenizer.read(Buffer.from(plain))!.encode('e\u0301 red').ids).toEqual(
      unigram.encode('e\u0301 red').ids,
    );
  });

  test('leaves a tokenizer with an unknown step to the library', () => {
    const file = { ...FILE, normalizer: { type: 'Strip', strip_left: true } };
    expect(UnigramTokenizer.read(Buffer.from(JSON.stringify(file)))).toBeUndefined();
    expect(UnigramTokenizer.read(Buffer.from(JSON.stringify(byteBpeFile([]))))).toBeUndefined();
  });
});

describe('the beginning of a long text', () => {
  const part = fc.tuple(
    fc.constantFrom(
      'a',
      'b',
      'ab',
      '宫',
      '颈',
      '宫颈',
      '癌',
      'x',
      ' ',
      'red',
      'e\u0301',
      'カ\u3099',
      '<s>',
      '<unk>',
      '\t',
    ),
    fc.integer({ min: 1, max: 400 }),
  );
  const text = fc
    .array(part, { minLength: 1, maxLength: 30 })
    .map((parts) => parts.map(([unit, count]) => unit.repeat(count)).join(''));

  test('has the ids with which the whole text begins', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 100 }), (long, maxIds) => {
        const whole = unigram.encode(long).ids;
        expect(unigram.encode(long, maxIds).ids.slice(0, maxIds)).toEqual(whole.slice(0, maxIds));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['Chinese', '宫颈癌', 4 * 510],
    ['prose', 'red blue ', 7 * 510],
  ])('is all that is read of a million characters of %s', (_, unit, units) => {
    const { ids, readUnits } = unigram.encode(unit.repeat(1_000_000 / unit.length), 510);
    expect(ids.length).toBeGreaterThanOrEqual(510);
    expect(readUnits).toBeLessThanOrEqual(units * 4);
  });

  test.each([
    ['Unigram', FILE],
    ['byte BPE', byteBpeFile([['a', 'a']])],
  ])('ends for endless words with %s', async (_, file) => {
    const tokenizer = await tokenizerOf(file);
    for (const unit of ['a', '宫', 'x']) {
      for (const truncate of ['end', 'start'] as const) {
        expect(tokenizer.encode(unit.repeat(300_000), truncate).ids.length).toBeLessThanOrEqual(512);
      }
    }
  });
});

describe('byte BPE', () => {
  test('reads a long text in parts with the ids of the whole', async () => {
    const file = byteBpeFile([
      ['r', 'e'],
      ['re', 'd'],
      ['Ġ', 'b'],
    ]);
    const long = await tokenizerOf(file, 100_000);
    const short = await tokenizerOf(file, 512);
    const words = Array.from({ length: 4_000 }, (_, i) =>
      i % 7 === 0 ? 'big' : i % 5 === 0 ? '§ré' : 'red',
    );
    const text = words.join(' ');
    const ids = words.flatMap((word, i) => long.idsOf(i === 0 ? word : ` ${word}`));
    expect(long.idsOf(text)).toEqual(ids);
    expect(short.encode(text, 'end').ids).toEqual([0, ...ids.slice(0, 510), 2]);
    expect(short.encode(text, 'start').ids).toEqual([0, ...ids.slice(-510), 2]);
  });
});

describe('a prompt', () => {
  test('is tokenized together with the text', async () => {
    const tokenizer = await tokenizerOf(FILE);
    const { ids, contentTokens, lostTokens } = tokenizer.encode('red', 'end', 'query: ');
    expect(ids).toEqual([0, ...unigram.encode('query: red').ids, 2]);
    expect({ contentTokens, lostTokens }).toEqual({ contentTokens: 1, lostTokens: 0 });
    // Apart, the prompt would end in a token for its space, and the text begin with another.
    expect(ids).not.toEqual([0, ...unigram.encode('query: ').ids, ...unigram.encode('red').ids, 2]);
  });

  test('is kept at both ends of the limit', async () => {
    const tokenizer = await tokenizerOf(FILE, 7);
    const tokens = (truncate: 'end' | 'start') => {
      const { ids, lostTokens } = tokenizer.encode('red red blue blue blue', truncate, 'query: ');
      return [ids.map((id) => unigram.tokenOf(id)).join(''), lostTokens];
    };
    expect(tokens('end')).toEqual(['<s>▁query:▁red▁red▁blue</s>', 2]);
    expect(tokens('start')).toEqual(['<s>▁query:▁blue▁blue▁blue</s>', 2]);
  });
});

describe('a text with nothing to embed', () => {
  test.each(['', ' ', ' \n\t\u3000', '\u200b', '\u0000\u0007', '\ufeff\u00ad', '\ufffd'])(
    '%j has no token with any tokenizer',
    async (text) => {
      for (const file of [FILE, byteBpeFile([])]) {
        const tokenizer = await tokenizerOf(file);
        expect(tokenizer.encode(text, 'end').contentTokens).toBe(0);
        expect(tokenizer.encode(text, 'end', 'query: ').contentTokens).toBe(0);
        expect(tokenizer.idsOf(text)).toEqual([]);
      }
    },
  );
});

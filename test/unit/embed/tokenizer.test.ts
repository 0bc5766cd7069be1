/**
 * Tests the conversion of texts to token ids. The expected tokens come from the reference algorithm (BERT's
 * clean-up, NFD, words, longest match first) and the model's vocabulary, not from the output of the code.
 */

import { readFileSync } from 'node:fs';
import { prepareModel } from '@embedmill/embed';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { keepEnd, keepStart, squeeze } from '../../../packages/embed/src/text/cut.ts';
import { TextTokenizer } from '../../../packages/embed/src/text/tokenizer.ts';
import { cacheDir } from './models.ts';

let tokenizer: TextTokenizer;
let unlimited: TextTokenizer;
let vocabulary: Map<number, string>;

beforeAll(async () => {
  const { tokenizerPath, maxTokens } = await prepareModel({ precision: 'int8', cacheDir });
  tokenizer = await TextTokenizer.read(tokenizerPath, maxTokens);
  unlimited = await TextTokenizer.read(tokenizerPath, 10_000_000);
  const file: { model: { vocab: Record<string, number> } } = JSON.parse(readFileSync(tokenizerPath, 'utf8'));
  vocabulary = new Map(Object.entries(file.model.vocab).map(([token, id]) => [id, token]));
});

const tokensOf = (text: string) => tokenizer.encode(text, 'end').ids.map((id) => vocabulary.get(id));

describe('ids of difficult texts', () => {
  test.each([
    ['case and punctuation', "Don't STOP...now", "don ' t stop . . . now"],
    ['accents', 'Café déjà vu', 'cafe de ##ja vu'],
    ['accents in two characters', 'Cafe\u0301', 'cafe'],
    ['letters that have no accent to lose', 'Straße', 'st ##raße'],
    ['ideographs, each a word', '日本語text', '日 本 語 text'],
    ['ideographs of two UTF-16 units, each a word', '𠀀𠀁', '[UNK] [UNK]'],
    ['Korean, by its letters', '한국', 'ᄒ ##ᅡ ##ᆫ ##ᄀ ##ᅮ ##ᆨ'],
    ['Greek, σ at the end of a word as within', 'ΟΔΟΣ', 'ο ##δ ##ο ##σ'],
    ['Turkish İ', 'İstanbul', 'istanbul'],
    ['emoji', 'I ❤️ you', 'i [UNK] you'],
    ['emoji joined by ZWJ, one word', '👩‍👩‍👧 ok', '[UNK] ok'],
    ['control characters, removed', 'a\u0000b\u0007c', 'abc'],
    ['zero-width characters, removed', 'wa\u200bt\u200der\ufeff', 'water'],
    ['blanks of all kinds', 'tab\tnew\nline\u00a0hard\u3000wide\u2028next', 'tab new line hard wide next'],
    ['unpaired surrogates, removed', '\ud800wat\udc00er', 'water'],
    ['the replacement character, removed', 'wa\ufffdter', 'water'],
    ['a word of 200 characters', `${'x'.repeat(200)} ok`, '[UNK] ok'],
    ['a word of 101 characters', 'a'.repeat(101), '[UNK]'],
    ['a word of 100 characters', 'a'.repeat(100), `aaa${' ##aa'.repeat(48)} ##a`],
    ['special tokens as such, but only in capitals', 'see [SEP] [sep]', 'see [SEP] [ sep ]'],
    ['symbols', '$5 50% a_b', '$ 5 50 % a _ b'],
  ])('%s', (_, text, expected) => {
    expect(tokensOf(text).join(' ')).toBe(`[CLS] ${expected} [SEP]`);
  });

  test.each(['', '   \n\t', '\u200b\u200d', '\u0301', '\ud800', '\ufffd'])('%j has no tokens', (text) => {
    expect(tokenizer.encode(text, 'end').contentTokens).toBe(0);
  });
});

describe('the limit', () => {
  const long = Array.from({ length: 400 }, (_, i) => `${i % 10}`).join(' ');

  test('keeps [CLS], the first 254 tokens and [SEP]', () => {
    const { ids, lostTokens } = tokenizer.encode(long, 'end');
    expect(ids).toEqual([101, ...unlimited.encode(long, 'end').ids.slice(1, 255), 102]);
    expect(lostTokens).toBe(400 - 254);
  });

  test('keeps the last 254 with truncate: start', () => {
    const { ids, lostTokens } = tokenizer.encode(long, 'start');
    expect(ids).toEqual([101, ...unlimited.encode(long, 'end').ids.slice(-255)]);
    expect(lostTokens).toBe(400 - 254);
  });

  test('is not the 128 of the tokenizer file, and nothing is padded', () => {
    expect(tokenizer.encode('one two', 'end').ids).toHaveLength(4);
    expect(tokenizer.encode(long, 'end').ids).toHaveLength(256);
  });

  test('estimates the unread tokens of prose within 10 %', () => {
    const prose =
      'The river was high, and the ferryman asked twice the usual price for the crossing. '.repeat(400);
    const { lostTokens } = tokenizer.encode(prose, 'end');
    const exact = tokenizer.count(prose) - 256;
    expect(Math.abs(lostTokens / exact - 1)).toBeLessThan(0.1);
  });
});

describe('cutting before tokenizing', () => {
  /** Texts of characters that matter to BERT, often in long runs. */
  const alphabet = [
    ...['a', 'Z', 'é', 'ß', 'Σ', 'İ', '7', '東', '𠀀', '한', 'ก', '😀', '👩‍👧', '½', '$', '_'],
    ...[' ', '\n', '\u00a0', '\u3000', '.', ',', "'", '…', '。', '[', ']', '[SEP]', '[CLS]', 'SEP]'],
    ...['\u0301', '\u0323', '\u200b', '\u200d', '\u0000', '\ufeff', '\ufffd', '\ud83d', '\ude00'],
  ];
  const run = fc
    .tuple(
      fc.constantFrom(...alphabet),
      fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 90, max: 700 })),
    )
    .map(([character, count]) => character.repeat(count));
  const text = fc.array(run, { minLength: 1, maxLength: 60 }).map((runs) => runs.join(''));

  test('changes no id of the kept end', () => {
    fc.assert(
      fc.property(text, (nasty) => {
        const all = unlimited.encode(nasty, 'end').ids.slice(1, -1);
        const frame = (ids: number[]) => [101, ...ids, 102];
        expect(tokenizer.encode(nasty, 'end').ids).toEqual(frame(all.slice(0, 254)));
        expect(tokenizer.encode(nasty, 'start').ids).toEqual(frame(all.slice(-254)));
      }),
      { numRuns: 400 },
    );
  });

  test('changes no id at any cut position', () => {
    const none = new Set([...'UNKCLSEPAMD]']);
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 3000 }), (nasty, units) => {
        const all = tokenizer.count(nasty) - 2;
        const whole = unlimited.encode(nasty, 'end').ids.slice(1, -1);
        const start = unlimited.encode(keepStart(nasty, units, none), 'end').ids.slice(1, -1);
        const end = unlimited.encode(keepEnd(nasty, units, none), 'end').ids.slice(1, -1);
        expect(start).toEqual(whole.slice(0, start.length));
        expect(end).toEqual(whole.slice(all - end.length));
        expect(unlimited.encode(squeeze(nasty), 'end').ids.slice(1, -1)).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    ['prose', 'once upon a time '],
    ['one endless word', 'a'],
    ['ideographs', '東'],
    ['no blanks', 'a,b;'],
    ['emoji', '😀'],
  ])('leaves a few kilobytes of 1 MB of %s', (_, unit) => {
    const megabyte = unit.repeat(1_000_000 / unit.length);
    for (const keep of [keepStart, keepEnd]) {
      expect(keep(megabyte, 1536, new Set()).length).toBeLessThan(1536 + 1024);
    }
  });

  test('drops a megabyte that adds no token', () => {
    expect(squeeze(' \n'.repeat(500_000))).toHaveLength(1);
    expect(squeeze(`x ${'y'.repeat(1_000_000)} z`).length).toBeLessThan(300);
  });
});

/** Tests which terms of a glossary are found in a text, and the text after replacement. */

import { Glossary, type GlossaryEntry } from '@embedmill/embed';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const apply = (entries: GlossaryEntry[], text: string) => new Glossary(entries).apply(text);
const entry = (term: string, wording: string, rule?: GlossaryEntry['case']): GlossaryEntry => ({
  term,
  wording,
  case: rule,
});

describe('a term is replaced', () => {
  const entries = [
    entry('CTP', 'trading platform'),
    entry('CTP margin', 'futures trading margin'),
    entry('margin call', 'demand for more deposit'),
    entry('stop loss', 'sale at a limit'),
    entry('保证金', 'deposit'),
    entry('保证金率', 'deposit rate'),
    entry('보증금', 'deposit'),
    entry('IT', 'computing'),
    entry('ราคา', 'price'),
    entry('C++', 'a language'),
    entry('οδός', 'street'),
    entry('🚀', 'rocket'),
  ];

  test.each([
    ['the longest first', 'CTP margin and CTP', 'futures trading margin and trading platform', 2],
    ['from the left, once', 'CTP margin call', 'futures trading margin call', 1],
    ['in capitals or not', 'Stop Loss, STOP LOSS', 'sale at a limit, sale at a limit', 2],
    ['as written when it is an acronym', 'IT is it', 'computing is it', 1],
    ['not within a word', 'margin calls, nonstop loss, CTPs', 'margin calls, nonstop loss, CTPs', 0],
    ['beside punctuation', '(margin call)/CTP.', '(demand for more deposit)/trading platform.', 2],
    ['within Chinese', '期货保证金率上调，保证金不足', '期货 deposit rate 上调，deposit 不足', 2],
    ['between scripts', '用CTP保证金', '用 trading platform deposit', 2],
    ['before a Korean ending, not within a word', '보증금은 무보증금', 'deposit 은 무보증금', 1],
    ['between Latin and Korean', 'CTP는 CTP보증금', 'trading platform 는 trading platform deposit', 3],
    ['within Thai', 'ดูราคาที่', 'ดู price ที่', 1],
    ['set apart from letters', 'C++20 stop🚀🚀loss', 'a language 20 stop rocket rocket loss', 3],
    ['across a line break', 'stop\nloss, CTP\u00a0margin', 'sale at a limit, futures trading margin', 2],
    ['that ends in signs', 'I write C++, not C+.', 'I write a language, not C+.', 1],
    ['with an accent and a final sigma', 'ΟΔΌΣ οδός', 'street street', 2],
    ['beside a letter whose small form is longer', 'İİ stop loss', 'İİ sale at a limit', 1],
  ])('%s', (_, text, expected, replacements) => {
    expect(apply(entries, text)).toEqual({ text: expected, replacements });
  });

  test('by its own rule for capitals', () => {
    expect(apply([entry('us', 'United States', 'exact')], 'US us').text).toBe('US United States');
    expect(apply([entry('US', 'United States', 'any')], 'US us').text).toBe('United States United States');
    expect(apply([entry('Go', 'a language', 'exact'), entry('go', 'leave')], 'Go go').text).toBe(
      'a language leave',
    );
  });

  test('and the replacement is not searched again', () => {
    expect(apply([entry('a', 'a b'), entry('b', 'a')], 'a b')).toEqual({ text: 'a b a', replacements: 2 });
  });

  test('by nothing, without joining its neighbors', () => {
    expect(apply([entry('🚀', '')], 'go🚀fast 🚀').text).toBe('go fast ');
  });

  test('by its last entry; blank terms are ignored', () => {
    const glossary = new Glossary([entry('x', 'one'), entry(' ', 'blank'), entry('X', 'two', 'any')]);
    expect(glossary.size).toBe(1);
    expect(glossary.apply(' x ').text).toBe(' two ');
  });
});

describe('a term with a language', () => {
  const entries = [
    { ...entry('CTP', '期货交易平台'), language: 'zh' },
    { ...entry('CTP', 'trading platform'), language: 'en' },
    { ...entry('手紙', 'letter'), language: 'ja' },
    { ...entry('手紙', '卫生纸'), language: 'zh' },
    entry('CTP margin', 'deposit'),
  ];

  test.each([
    ['用CTP下单很快', '用 期货交易平台 下单很快', 1],
    ['Orders by CTP are fast', 'Orders by trading platform are fast', 1],
    // One Chinese word does not make an English sentence Chinese.
    ['Orders by CTP (下单) are fast', 'Orders by trading platform (下单) are fast', 1],
    ['Заявки через CTP', 'Заявки через CTP', 0],
    ['手紙を書きました', 'letter を書きました', 1],
    ['请买一包手紙', '请买一包 卫生纸', 1],
    ['CTP margin', 'deposit', 1],
  ])('is replaced in its script only: %s', (text, expected, replacements) => {
    expect(apply(entries, text)).toEqual({ text: expected, replacements });
  });

  test('takes precedence over the same term without one', () => {
    const both = [entry('CTP', 'platform'), { ...entry('CTP', '平台'), language: 'zh' }];
    expect(apply(both, '用CTP').text).toBe('用 平台');
    expect(apply(both, 'by CTP').text).toBe('by platform');
    expect(new Glossary(both).size).toBe(2);
  });
});

test('a term that is its own wording keeps its text as it is, and protects it from shorter terms', () => {
  const entries = [
    entry('保证金', '保证金'),
    entry('金', 'gold'),
    entry('US', 'US', 'exact'),
    entry('us', 'we'),
  ];
  expect(apply(entries, '交易保证金率')).toEqual({ text: '交易保证金率', replacements: 0 });
  expect(apply(entries, '保证金, 金, US, us')).toEqual({ text: '保证金, gold, US, we', replacements: 2 });
});

describe('in any text', () => {
  const word = fc.constantFrom(
    'CTP',
    'margin',
    'call',
    '保证',
    '金',
    'is',
    'ราคา',
    '증',
    'É',
    '𠀀',
    '.',
    ' ',
    '  ',
    '-',
    '_',
  );
  const words = fc.array(word, { maxLength: 12 }).map((pieces) => pieces.join(''));

  test('it finds what a search of every term at every position finds', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), words, (terms, text) => {
        const entries = terms.map((term) => entry(term, '<>', 'exact'));
        expect(apply(entries, text).text).toBe(searchEverywhere(terms, text));
      }),
      { numRuns: 1000 },
    );
  });

  test('it leaves a text without terms unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(apply([entry('not in there', 'x')], text)).toEqual({ text, replacements: 0 });
      }),
    );
  });
});

/**
 * Applies the same rules without an index: the longest term at the leftmost position between two boundaries.
 */
function searchEverywhere(terms: readonly string[], text: string): string {
  const sticky = /^(?![\p{sc=Han}\p{sc=Thai}])[\p{L}\p{N}\p{M}_]/u;
  const before = (at: number) => [...text.slice(0, at)].at(-1) ?? '';
  const korean = (character: string) => /^\p{sc=Hangul}/u.test(character);
  const within = (at: number) =>
    sticky.test(before(at)) && sticky.test(text.slice(at)) && korean(before(at)) === korean(text.slice(at));
  const longest = terms.map((term) => term.trim()).filter((term) => term !== '');
  longest.sort((a, b) => b.length - a.length);
  let result = '';
  for (let at = 0; at < text.length; ) {
    const ends = (term: string) =>
      !within(at + term.length) || /\p{sc=Hangul}/u.test(before(at + term.length));
    const isMidPair = /^[\udc00-\udfff]/.test(text.slice(at));
    const found =
      within(at) || isMidPair ? undefined : longest.find((term) => text.startsWith(term, at) && ends(term));
    result += found === undefined ? text[at] : '<>';
    at += found === undefined ? 1 : found.length;
  }
  return result;
}

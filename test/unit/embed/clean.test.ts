/** Tests what each cleaning step does to a text, and what no step may do. */

import { CLEAN_STEPS, type CleanStep } from '@embedmill/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanerOf } from '../../../packages/embed/src/text/treatment/clean.ts';

const ALL: CleanStep[] = [...CLEAN_STEPS];

describe('a step', () => {
  test.each<[CleanStep, string, string, string]>([
    ['html', 'tags within words', 'It<b>self</b> &amp; <i>me</i>', 'Itself & me'],
    ['html', 'breaks as blanks', 'One.<br />Two.<p>Three.</p>', 'One. Two. Three. '],
    [
      'html',
      'entities encoded twice',
      'Tom &amp;amp; Jerry &#39;n&#x27; &quot;co&quot;',
      `Tom & Jerry 'n' "co"`,
    ],
    ['html', 'comments, scripts and styles', 'a<!-- b --><script>c < d</script><style>e{}</style>f', 'af'],
    ['html', 'tags in entities', '&lt;br&gt;Good', ' Good'],
    ['html', 'signs that are no tags', 'x <y and 3 < 4 & 5 > 2, I <3 it', 'x <y and 3 < 4 & 5 > 2, I <3 it'],
    ['nfkc', 'full width, ligatures, circles', 'ＡＢＣ ﬁne ①', 'ABC fine 1'],
    ['nfkc', 'one accent instead of two characters', 'cafe\u0301', 'café'],
    ['line-breaks', 'all kinds', 'a\r\nb\rc\u2028d\u2029e\u0085f\fg\vh', 'a\nb\nc\nd\ne\nf\ng\nh'],
    [
      'invisible',
      'zero-width, BOM, soft hyphen, directions',
      '\ufeffzero\u200bwidth co\u00adop \u202aab\u202c',
      'zerowidth coop ab',
    ],
    ['invisible', 'no joiner that shapes', 'می\u200cخواهم 👩\u200d👧', 'می\u200cخواهم 👩\u200d👧'],
    ['invisible', 'joiners beside ASCII', 'wa\u200d\u200cter\u200d', 'water'],
    ['control', 'but tab and line feed', 'a\u0000b\u0007c\td\ne\u009b\ud800\ufffd', 'abc\td\ne'],
    ['spaces', 'of every width', 'a\u00a0b\u3000c\u2009d\u202fe', 'a b c d e'],
    ['white-space', 'runs and edges', ' \t a  b \n\n\t c ', 'a b\nc'],
    ['final-punctuation', 'Latin', 'Is it? Yes, e.g. 3.5 stars!!! ', 'Is it? Yes, e.g. 3.5 stars'],
    ['final-punctuation', 'CJK', '真的吗？很好。！', '真的吗？很好'],
  ])('%s: %s', (step, _, text, expected) => {
    expect(cleanerOf([step])(text)).toBe(expected);
  });

  test('leaves plain text unchanged', () => {
    const text = 'The battery lasts two days, at 20 °C. 电池可以用两天';
    expect(cleanerOf(ALL)(text)).toBe(text);
  });
});

/** Texts of pieces that the steps act on, and other pieces. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '<b>',
      '</b>',
      '<br/>',
      '<',
      '>',
      '<!--',
      '-->',
      '<script>',
      '</script>',
      '&',
      ';',
      '&amp;',
      '&lt;',
      '&gt;',
    ],
    ...['&#60;', '&#x3e;', '&nbsp;', 'lt', '#60', '＜', '＆', '\ufdfa', '\u00b4', 'ﬁ', 'Ａ', '\u0301'],
    ...[
      '\r\n',
      '\u2028',
      '\f',
      '\u200b',
      '\u200c',
      '\u200d',
      '\ufeff',
      '\u0000',
      '\u009b',
      '\ud83d',
      '\ude00',
    ],
    ...['\u00a0', '\u3000', ' ', '\n', '\t', '.', '!', '。', '？', '…', '中', 'ك', '👩'],
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
);
const anyText = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));

describe('for any text and steps', () => {
  const anySteps = fc.subarray(ALL);

  test('cleaning is idempotent', () => {
    fc.assert(
      fc.property(anyText, anySteps, (text, steps) => {
        const clean = cleanerOf(steps);
        expect(clean(clean(text))).toBe(clean(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('the text does not grow, except with nfkc by a factor of at most 18', () => {
    fc.assert(
      fc.property(anyText, anySteps, (text, steps) => {
        expect(cleanerOf(steps)(text).length).toBeLessThanOrEqual(
          text.length * (steps.includes('nfkc') ? 18 : 1),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('the order of the given steps does not matter', () => {
    fc.assert(
      fc.property(anyText, fc.shuffledSubarray(ALL), (text, steps) => {
        const inOrder = ALL.filter((step) => steps.includes(step));
        expect(cleanerOf(steps)(text)).toBe(cleanerOf(inOrder)(text));
      }),
    );
  });
});

test('a long text of any content takes linear time', () => {
  const clean = cleanerOf(ALL);
  const units = [
    '<',
    '&amp;',
    ' ',
    '\u200d',
    '!',
    '<b>',
    '&',
    '\n ',
    'a!',
    '\u200c中',
    '<!--',
    '\u0301',
    '</b',
  ];
  for (const unit of units) {
    const startedAt = performance.now();
    clean(`中${unit.repeat(2 ** 18 / unit.length)}中`);
    // Takes milliseconds; quadratic time would take minutes.
    expect(performance.now() - startedAt, JSON.stringify(unit)).toBeLessThan(10_000);
  }
});

/** Random texts of many scripts, with everything that BERT's tokenizer treats specially. */

import type { TextTokenizer } from '../../packages/embed/src/text/tokenizer.ts';
import { seededRandom } from './seeded-random.ts';

/** Scripts of Unicode, as regular expressions name them. */
export const SCRIPTS = [
  ...['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Syriac', 'Thaana', 'Nko', 'Devanagari'],
  ...[
    'Bengali',
    'Gurmukhi',
    'Gujarati',
    'Oriya',
    'Tamil',
    'Telugu',
    'Kannada',
    'Malayalam',
    'Sinhala',
    'Thai',
  ],
  ...[
    'Lao',
    'Tibetan',
    'Myanmar',
    'Georgian',
    'Hangul',
    'Ethiopic',
    'Cherokee',
    'Canadian_Aboriginal',
    'Ogham',
  ],
  ...['Runic', 'Khmer', 'Mongolian', 'Hiragana', 'Katakana', 'Bopomofo', 'Han', 'Yi', 'Tagalog', 'Balinese'],
  ...['Javanese', 'Sundanese', 'Batak', 'Lepcha', 'Vai', 'Coptic', 'Gothic', 'Deseret', 'Brahmi', 'Grantha'],
  ...['Chakma', 'Takri', 'Warang_Citi', 'Adlam', 'Sharada', 'Common', 'Inherited'],
] as const;

/** What careless code mishandles, in one to three characters. */
const SPECIAL = [
  ...[' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u2028', '\u0085', '\u000b', '\ufeff', '\u200b'],
  ...[
    '\u0000',
    '\u0007',
    '\u00ad',
    '\ufffd',
    '\ud800',
    '\udc00',
    '\ud83d',
    '\udbff\udfff',
    '\ue000',
    '\u0378',
  ],
  ...['.', ',', "'", '$', '_', '`', '…', '。', '\u037e', '\u0387', '\u1fef', '［', '[', ']', '##', '#'],
  ...[
    '\u0301',
    '\u0323',
    '\u0345',
    '\u034f',
    '\u0344',
    '\u302e',
    '\u302f',
    '\u1b44',
    '\u{16ff0}',
    '\u{1d165}',
  ],
  ...['Σ', 'σ', 'ς', 'İ', 'ı', 'ẞ', 'ß', 'ﬁ', 'K', 'Ω', 'ǅ', 'ᾂ', 'ȷ', '한', '가', '힣', 'ᄀ', 'ᆨ'],
  ...['東', '豈', '㐀', '𠀀', '\u{2f800}', '\u{2fa1f}', '\u{30000}', '😀', '👩‍👧', '❤️', '½', '①'],
  ...['[CLS]', '[SEP]', '[sep]', '[MASK]', '[UNK]', '[PAD]', '[PAD', 'PAD]'],
];

let characters: string[][] | undefined;

/** The characters of each script. */
function charactersOfScripts(): string[][] {
  characters ??= SCRIPTS.map((script) => {
    const pattern = new RegExp(`^\\p{Script=${script}}$`, 'u');
    const found: string[] = [];
    for (let code = 0; code < 0x30000; code++) {
      const character = String.fromCodePoint(code);
      if (pattern.test(character)) found.push(character);
    }
    return found;
  });
  return characters;
}

/**
 * Yields texts: words of one to three scripts and of the vocabulary, between white space, marks and specials.
 * @param words words of which some texts consist, in part or doubled
 */
export function* scriptTexts(seed: number, count: number, words: readonly string[]): Generator<string> {
  const scripts = charactersOfScripts();
  const random = seededRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const repeated = (max: number, part: () => string) => Array.from({ length: 1 + below(max) }, part).join('');
  for (let i = 0; i < count; i++) {
    const own = [scripts[i % scripts.length]!, pick(scripts), pick(scripts)].slice(0, 1 + below(3));
    const part = (): string => {
      const kind = below(16);
      if (kind < 6) return repeated(random() < 0.03 ? 130 : 9, () => pick(pick(own)));
      if (kind < 9) return pick(words);
      if (kind < 10) return pick(words).toUpperCase() + pick(words).slice(0, 3);
      if (kind < 13) return ' ';
      if (kind < 15) return pick(SPECIAL);
      return random() < 0.02 ? pick(words).repeat(60) : String.fromCodePoint(below(0x110000));
    };
    yield repeated(24, part);
  }
}

/** The tokens of a vocabulary as words; continuations without their mark. */
export function wordsOf(vocabulary: Record<string, number>): string[] {
  return Object.keys(vocabulary).map((token) => token.replace(/^##/, ''));
}

/** Returns the texts with different ids, with the ids of each; at most five. */
export function differentIds(
  one: Pick<TextTokenizer, 'idsOf'>,
  other: Pick<TextTokenizer, 'idsOf'>,
  texts: Iterable<string>,
): { text: string; ids: number[]; expected: number[] }[] {
  const different: { text: string; ids: number[]; expected: number[] }[] = [];
  for (const text of texts) {
    const [ids, expected] = [one.idsOf(text), other.idsOf(text)];
    if (ids.length === expected.length && ids.every((id, i) => id === expected[i])) continue;
    different.push({ text: JSON.stringify(text), ids, expected });
    if (different.length === 5) break;
  }
  return different;
}

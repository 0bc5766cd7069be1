/** Scripts of texts by Unicode ranges: what the language signal names when a model does not know a text. */

/** Ranges of the letters of each script, sorted. A name is what people call its texts. */
const RANGES: readonly (readonly [first: number, last: number, script: string])[] = [
  [0x41, 0x24f, 'Latin'],
  [0x250, 0x2ff, 'Latin'],
  [0x370, 0x3ff, 'Greek'],
  [0x400, 0x52f, 'Cyrillic'],
  [0x530, 0x58f, 'Armenian'],
  [0x590, 0x5ff, 'Hebrew'],
  [0x600, 0x6ff, 'Arabic'],
  [0x700, 0x74f, 'Syriac'],
  [0x750, 0x77f, 'Arabic'],
  [0x780, 0x7bf, 'Thaana'],
  [0x870, 0x8ff, 'Arabic'],
  [0x900, 0x97f, 'Devanagari'],
  [0x980, 0x9ff, 'Bengali'],
  [0xa00, 0xa7f, 'Gurmukhi'],
  [0xa80, 0xaff, 'Gujarati'],
  [0xb00, 0xb7f, 'Odia'],
  [0xb80, 0xbff, 'Tamil'],
  [0xc00, 0xc7f, 'Telugu'],
  [0xc80, 0xcff, 'Kannada'],
  [0xd00, 0xd7f, 'Malayalam'],
  [0xd80, 0xdff, 'Sinhala'],
  [0xe00, 0xe7f, 'Thai'],
  [0xe80, 0xeff, 'Lao'],
  [0xf00, 0xfff, 'Tibetan'],
  [0x1000, 0x109f, 'Burmese'],
  [0x10a0, 0x10ff, 'Georgian'],
  [0x1100, 0x11ff, 'Korean'],
  [0x1200, 0x139f, 'Ethiopic'],
  [0x13a0, 0x13ff, 'Cherokee'],
  [0x1780, 0x17ff, 'Khmer'],
  [0x1800, 0x18af, 'Mongolian'],
  [0x1e00, 0x1eff, 'Latin'],
  [0x1f00, 0x1fff, 'Greek'],
  [0x2c60, 0x2c7f, 'Latin'],
  [0x2d00, 0x2d2f, 'Georgian'],
  [0x2e80, 0x2fdf, 'Chinese'],
  [0x3005, 0x3007, 'Chinese'],
  [0x3040, 0x30ff, 'Japanese'],
  [0x3100, 0x312f, 'Chinese'],
  [0x3130, 0x318f, 'Korean'],
  [0x31f0, 0x31ff, 'Japanese'],
  [0x3400, 0x4dbf, 'Chinese'],
  [0x4e00, 0x9fff, 'Chinese'],
  [0xa960, 0xa97f, 'Korean'],
  [0xac00, 0xd7ff, 'Korean'],
  [0xf900, 0xfaff, 'Chinese'],
  [0xfb50, 0xfdff, 'Arabic'],
  [0xfe70, 0xfeff, 'Arabic'],
  [0xff21, 0xff5a, 'Latin'],
  [0xff66, 0xff9f, 'Japanese'],
  [0x20000, 0x3134f, 'Chinese'],
];

const LETTER = /\p{L}/u;

/** Maximum UTF-16 units of a text that are examined. */
const MAX_UNITS = 2_000;

/** Share of kana in a text of kana and ideographs from which on it counts as Japanese. */
const KANA_SHARE = 0.1;

/** Returns the script of a letter; undefined for other characters and for scripts without a range. */
export function scriptOf(codePoint: number): string | undefined {
  if (codePoint < FIRST_NOT_ASCII) return isAsciiLetter(codePoint) ? 'Latin' : undefined;
  let [low, high] = [0, RANGES.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last, script] = RANGES[middle]!;
    if (codePoint < first) high = middle - 1;
    else if (codePoint > last) low = middle + 1;
    else return LETTER.test(String.fromCodePoint(codePoint)) ? script : undefined;
  }
  return undefined;
}

const FIRST_NOT_ASCII = 0x80;

function isAsciiLetter(unit: number): boolean {
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Returns the letters per script in the first 2,000 characters of a text. */
export function countScripts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  let ascii = 0;
  const end = Math.min(text.length, MAX_UNITS);
  for (let at = 0; at < end; at++) {
    const unit = text.charCodeAt(at);
    // Most letters are ASCII, and need no table.
    if (unit < FIRST_NOT_ASCII) {
      if (isAsciiLetter(unit) && ascii++ === 0 && !counts.has('Latin')) counts.set('Latin', 0);
      continue;
    }
    const codePoint = text.codePointAt(at)!;
    if (codePoint > 0xffff) at += 1;
    const script = scriptOf(codePoint);
    if (script !== undefined) counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  if (ascii > 0) counts.set('Latin', counts.get('Latin')! + ascii);
  const [kana = 0, ideographs = 0] = [counts.get('Japanese'), counts.get('Chinese')];
  if (kana > 0 && kana >= KANA_SHARE * (kana + ideographs)) {
    counts.delete('Chinese');
    counts.set('Japanese', kana + ideographs);
  }
  return counts;
}

/** Returns the entry with the largest number; undefined if there is none. */
export function mostFrequent(counts: Iterable<readonly [string, number]>): string | undefined {
  let best: readonly [string, number] | undefined;
  for (const entry of counts) if (best === undefined || entry[1] > best[1]) best = entry;
  return best?.[0];
}

/**
 * Names of scripts by their codes in ISO 15924, as `Intl.Locale` gives them for a language. Traditional and simplified
 * characters are not told apart.
 */
const NAMES_BY_CODE: Readonly<Record<string, string>> = {
  ...{ Latn: 'Latin', Grek: 'Greek', Cyrl: 'Cyrillic', Armn: 'Armenian', Hebr: 'Hebrew', Arab: 'Arabic' },
  ...{
    Syrc: 'Syriac',
    Thaa: 'Thaana',
    Deva: 'Devanagari',
    Beng: 'Bengali',
    Guru: 'Gurmukhi',
    Gujr: 'Gujarati',
  },
  ...{ Orya: 'Odia', Taml: 'Tamil', Telu: 'Telugu', Knda: 'Kannada', Mlym: 'Malayalam', Sinh: 'Sinhala' },
  ...{ Thai: 'Thai', Laoo: 'Lao', Tibt: 'Tibetan', Mymr: 'Burmese', Geor: 'Georgian', Kore: 'Korean' },
  ...{ Ethi: 'Ethiopic', Cher: 'Cherokee', Khmr: 'Khmer', Mong: 'Mongolian', Jpan: 'Japanese' },
  ...{ Hans: 'Chinese', Hant: 'Chinese', Hani: 'Chinese' },
};

/** Returns the script in which a language is written, by its BCP 47 tag (`zh`, `sr-Latn`); undefined if it is unknown. */
export function scriptOfLanguage(tag: string): string | undefined {
  // `und` would become English.
  if (!/^[a-z]{2,3}(-|$)/i.test(tag) || /^und\b/i.test(tag)) return undefined;
  try {
    return NAMES_BY_CODE[new Intl.Locale(tag).maximize().script ?? ''];
  } catch {
    return undefined;
  }
}

/** Letters of a script that one character of Chinese, Japanese or Korean stands for: a text in English has about three times as many. */
const LETTERS_PER_CHARACTER = 3;

/** Returns the script of most of a text, so that a few foreign words do not decide; undefined for a text without letters. */
export function mainScriptOf(text: string): string | undefined {
  const weighted = Array.from(countScripts(text), ([script, count]) => {
    const isDense = script === 'Chinese' || script === 'Japanese' || script === 'Korean';
    return [script, isDense ? LETTERS_PER_CHARACTER * count : count] as const;
  });
  return mostFrequent(weighted);
}

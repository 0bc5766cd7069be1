/**
 * Cuts very long texts before tokenization, so that a text of 1 MB costs no more than the part that fits the
 * model.
 *
 * Why the ids do not change: BERT tokenizes word by word, and a word ends at white space and before and after
 * punctuation and ideographs. So the words on each side of a cut are those of the whole text if the character
 * to the right of the cut is
 *   (a) white space, a punctuation mark or an ideograph. None of them combines with the character to its left
 *   in NFD,
 *       and none occurs inside an added token such as `[SEP]` (except as its first character, in which case
 *       the whole token is on the right side); or
 *   (b) in a word with more than 100 characters on the kept side. BERT maps every word of more than 100
 *   characters to
 *       `[UNK]`.
 * Lowercasing depends on neighbors only for Σ, which `reference-bert.ts` has replaced. A property test
 * compares ids.
 *
 * Decision: docs/decisions/0014.
 */

/**
 * Characters of rule (a): BERT's white space and punctuation, and the ideographs of the basic plane. Listed, because a
 * later Unicode version of Node.js may know more marks than the native tokenizer.
 */
const BOUNDARY =
  /[ \t\n\r\u00a0\u3000\u2000-\u200a!-/:-@[-`{-~\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff¡§«¶·»¿،؛؟।॥–—‘’“”†‡•…‰、。〈-】〔-〛！-＃％-＊，-／：；？＠［-］｛｝｡-･]/u;

/**
 * Characters that survive normalization and never end a word: letters, digits and symbols except those above
 * and U+FFFD.
 */
const WORD_CHARACTER =
  '(?:(?![!-/:-@[-`{-~\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}\\ufffd])[\\p{L}\\p{N}\\p{S}])';

/**
 * Length of a word part for rule (b): at least 128 characters, because a character has at most two UTF-16
 * units.
 */
const WORD_TAIL_UNITS = 256;
const WORD_ONLY = new RegExp(`^${WORD_CHARACTER}+$`, 'u');

/** A word that is longer than the part that `squeeze` keeps. */
const LONG_WORD = new RegExp(`(${WORD_CHARACTER}{${WORD_TAIL_UNITS}})${WORD_CHARACTER}+`, 'gu');
const LONG_BLANK = /([ \t\n\r])[ \t\n\r]+/g;

/** Search distance for a boundary before rule (b) is tested. */
const SEARCH_UNITS = 512;

/**
 * Returns the first `units` UTF-16 units of a text, extended to the next position where a cut changes no id
 * of the kept part, or the whole text if there is none.
 *
 * @param inner characters inside added tokens, without the first one of each token
 */
export function keepStart(text: string, units: number, inner: ReadonlySet<string>): string {
  for (let at = units; at < text.length; at += SEARCH_UNITS) {
    const boundary = findBoundary(text, at, Math.min(at + SEARCH_UNITS, text.length), inner);
    if (boundary !== undefined) return text.slice(0, boundary);
    const end = characterStart(text, Math.min(at + SEARCH_UNITS, text.length));
    const tail = text.slice(characterStart(text, Math.max(0, end - WORD_TAIL_UNITS)), end);
    if (tail.length >= WORD_TAIL_UNITS && WORD_ONLY.test(tail)) return text.slice(0, end);
  }
  return text;
}

/** Returns the last `units` UTF-16 units of a text in the same way. */
export function keepEnd(text: string, units: number, inner: ReadonlySet<string>): string {
  for (let at = text.length - units; at > 0; at -= SEARCH_UNITS) {
    const from = Math.max(0, at - SEARCH_UNITS);
    const boundary = findBoundary(text, from, at, inner);
    if (boundary !== undefined) return text.slice(boundary);
    const start = characterStart(text, from);
    const head = text.slice(start, characterStart(text, start + WORD_TAIL_UNITS + 1));
    if (head.length >= WORD_TAIL_UNITS && WORD_ONLY.test(head)) return text.slice(start);
  }
  return text;
}

/** Drops characters that add no token: repeated white space, and the rest of words that become `[UNK]`. */
export function squeeze(text: string): string {
  return text.replace(LONG_BLANK, '$1').replace(LONG_WORD, '$1');
}

function findBoundary(
  text: string,
  from: number,
  to: number,
  inner: ReadonlySet<string>,
): number | undefined {
  for (let at = from; at < to; at++) {
    const character = text[at]!;
    if (BOUNDARY.test(character) && !inner.has(character)) return at;
  }
  return undefined;
}

/** Returns `at`, or `at - 1` if it is between the halves of a surrogate pair. */
function characterStart(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}

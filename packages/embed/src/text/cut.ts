/**
 * Cuts very long texts before they are tokenized, for the tokenizer: a text of 1 MB costs no more than the few
 * kilobytes that fit into the model.
 *
 * Why the ids do not change. BERT tokenizes word by word, and a word ends at blanks, before and after punctuation and
 * ideographs. So the words on each side of a cut are those of the whole text when the character right of the cut is
 *   (a) a blank, a punctuation mark or an ideograph. None of them combines with what stands left of it in NFD, and
 *       none occurs inside an added token such as `[SEP]` (its own first character may: the token then lies whole on
 *       the right side); or
 *   (b) in a word of which more than 100 characters stand on the kept side. BERT makes `[UNK]` of a word of more than
 *       100 characters, however long it is.
 * Lowercasing looks at neighbours only for Σ, which `reference-bert.ts` has replaced. A property test compares ids.
 */

/** Characters of rule (a): BERT's blanks and punctuation and the ideographs of the basic plane. */
const BOUNDARY = /[ \t\n\r\p{Zs}\p{P}!-/:-@[-`{-~\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/u;

/** Characters that certainly survive normalisation and end no word: letters, digits and symbols but those above and U+FFFD. */
const WORD_CHARACTER =
  '(?:(?![!-/:-@[-`{-~\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}\\ufffd])[\\p{L}\\p{N}\\p{S}])';

/** For rule (b): at least 128 characters, because a character has at most two UTF-16 units. */
const WORD_TAIL_UNITS = 256;
const WORD_ONLY = new RegExp(`^${WORD_CHARACTER}+$`, 'u');

/** How many characters of an endless word are worth keeping. */
const LONG_WORD = new RegExp(`(${WORD_CHARACTER}{${WORD_TAIL_UNITS}})${WORD_CHARACTER}+`, 'gu');
const LONG_BLANK = /([ \t\n\r])[ \t\n\r]+/g;

/** How far to look for a boundary before asking rule (b). */
const SEARCH_UNITS = 512;

/**
 * The first `units` UTF-16 units of a text and a little more, to the next place where a cut changes no id of the
 * kept part; the whole text when there is none.
 *
 * @param inner characters that occur inside added tokens, behind their first
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

/** The same for the last `units`. */
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

/** Drops what adds no token however long it is: further blanks, and the rest of words that are `[UNK]` anyway. */
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

/** `at`, or one less when it lies between the halves of a surrogate pair. */
function characterStart(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}

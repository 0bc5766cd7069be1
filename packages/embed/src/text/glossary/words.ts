/**
 * Finds word boundaries for the glossary, even in scripts without spaces between words.
 *
 * Letters, digits and marks of scripts with spaces (Latin, Greek, Cyrillic, Arabic, …) form words. Each
 * character of Chinese, Japanese, Thai, Lao, Khmer or Burmese is a word: without a dictionary no boundary can
 * be found there, and a term is long enough to be unambiguous. Korean separates words by spaces, but endings
 * follow a word directly, so a term must begin at the start of a word and may end anywhere.
 */

/** A character that is a word of its own, with its marks. */
const LONE = String.raw`[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]`;

/** A character that forms words with its neighbors. */
const JOINED = String.raw`(?:(?!${LONE})[\p{L}\p{N}\p{M}_])`;

/** A word in the tree: a run of word characters except Korean ones, or any other single character. */
const WORDS = new RegExp(String.raw`(?:(?!\p{sc=Hangul})${JOINED})+|[^]`, 'gu');
const HANGUL = /^\p{sc=Hangul}/u;

/** The first Korean letter in Unicode. */
const FIRST_HANGUL = 0x1100;

/** Splits a text into words; together they are the whole text. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

/**
 * Returns true if a term may begin at the start of a word of `wordsOf`: not between two Korean syllables. A term may end
 * at every end of a word, also before a Korean ending.
 */
export function isWordStart(text: string, at: number): boolean {
  if (at === 0 || text.charCodeAt(at - 1) < FIRST_HANGUL) return true;
  return !(HANGUL.test(text.slice(startBefore(text, at), at)) && HANGUL.test(text.slice(at, at + 2)));
}

/** Returns the start of the character before a position; a surrogate pair is one character. */
function startBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? at - 2 : at - 1;
}

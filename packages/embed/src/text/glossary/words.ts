/**
 * Where words begin and end, for the glossary: also in scripts that write no blanks between them.
 *
 * Letters, digits and marks of scripts that set words apart (Latin, Greek, Cyrillic, Arabic, …) stick together. A character
 * of Chinese, Japanese, Thai, Lao, Khmer or Burmese is a word by itself: there, no boundary can be told without a
 * dictionary, and a term is long enough to be meant. Korean sets words apart, but its endings follow a word without a blank,
 * so a term must begin where a word begins and may end anywhere.
 */

/** A character that is a word by itself, with the marks that belong to it. */
const LONE = String.raw`[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]`;

/** A character that sticks to others of its kind. */
const STICKY = String.raw`(?:(?!${LONE})[\p{L}\p{N}\p{M}_])`;

/** What a word is to the tree: a run of sticky characters but Korean ones, or any single character. */
const WORDS = new RegExp(String.raw`(?:(?!\p{sc=Hangul})${STICKY})+|[^]`, 'gu');
const STICKS = new RegExp(`^${STICKY}`, 'u');
const HANGUL = /^\p{sc=Hangul}/u;

/** A text as words, nothing left out. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

/** Whether a term may begin at a place: not between two characters that stick together. */
export function isWordStart(text: string, at: number): boolean {
  if (at === 0 || at >= text.length) return true;
  const [before, after] = [text.slice(startBefore(text, at), at), text.slice(at, at + 2)];
  return !(STICKS.test(before) && STICKS.test(after) && HANGUL.test(before) === HANGUL.test(after));
}

/** Whether a term may end before a place: where a word ends, and before a Korean ending. */
export function isWordEnd(text: string, at: number): boolean {
  return isWordStart(text, at) || HANGUL.test(text.slice(startBefore(text, at), at));
}

/** Where the character before a place starts: a surrogate pair is one. */
function startBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? at - 2 : at - 1;
}

/** Splits texts into words, also in scripts without spaces between words. */

/** Chinese, Japanese, Thai, Lao, Khmer and Myanmar. */
const WITHOUT_SPACES =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

const WORD = /\p{L}[\p{L}\p{M}\p{N}'’]*/gu;

/** English contractions consist of stop words: don't, they've. */
const CONTRACTION = /n['’]t$|['’](?:ll|ve|re|m|d)$/i;

/** A word and its position in UTF-16 units. */
export interface Word {
  word: string;
  start: number;
}

/** Returns true if a text has a letter of a script without spaces between words. */
export function isWithoutSpaces(text: string): boolean {
  return WITHOUT_SPACES.test(text);
}

/** Returns true for an English contraction of two words. */
export function isContraction(word: string): boolean {
  return CONTRACTION.test(word);
}

/** Returns a word without the apostrophe of a possessive: `James's` → `James`. */
export function withoutPossessive(word: string): string {
  return word.replace(/['’]s?$/i, '');
}

/** Splits texts into words; keeps the segmenter, which is slow to create. */
export class WordSplitter {
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

  /** Yields the words of a text in order; those of scripts without spaces by the dictionary of ICU. */
  *split(text: string): Generator<Word> {
    if (!isWithoutSpaces(text)) {
      for (const { 0: word, index: start } of text.matchAll(WORD)) yield { word, start };
      return;
    }
    for (const { segment, index, isWordLike } of this.#segmenter.segment(text)) {
      if (isWordLike) yield { word: segment, start: index };
    }
  }
}

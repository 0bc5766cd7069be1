/** Splits texts into search terms: words without case, diacritics and possessives. */

import { isWithoutSpaces, withoutPossessive } from '../cluster/words.ts';

/** Letters and digits, with an apostrophe inside: `don't`, `iphone`, `404`. */
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’][\p{L}\p{M}\p{N}]+)*/gu;

const ASCII_LOWER = /^[a-z0-9]*$/;

/** Combining marks of Latin, Greek and Cyrillic letters; the vowel signs of other scripts are kept. */
const DIACRITICS = /[\u0300-\u036f]/g;

/** A term and its position in the text, in UTF-16 units. */
export interface Term {
  /** The folded word, as the index holds it. */
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

/** The term of a word: `Müller’s` → `muller`. */
export function foldWord(word: string): string {
  if (ASCII_LOWER.test(word)) return word;
  return withoutPossessive(word)
    .replaceAll('’', "'")
    .normalize('NFKD')
    .replace(DIACRITICS, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ß', 'ss');
}

/** Splits texts into terms; keeps the segmenter, which is slow to create. */
export class TermSplitter {
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

  /** Calls `take` with each term of a text in order; words of scripts without spaces follow the dictionary of ICU. */
  forEach(text: string, take: (term: string, start: number, end: number) => void): void {
    if (!isWithoutSpaces(text)) {
      for (const { 0: word, index } of text.matchAll(WORD)) take(foldWord(word), index, index + word.length);
      return;
    }
    for (const { segment, index, isWordLike } of this.#segmenter.segment(text)) {
      if (isWordLike) take(foldWord(segment), index, index + segment.length);
    }
  }

  /** The distinct terms of a query, in order. */
  distinct(text: string): string[] {
    const terms = new Set<string>();
    this.forEach(text, (term) => terms.add(term));
    return [...terms];
  }

  /** The words of a text that are among these terms, in order. */
  matches(text: string, terms: ReadonlySet<string>): Term[] {
    const found: Term[] = [];
    this.forEach(text, (term, start, end) => {
      if (terms.has(term)) found.push({ term, start, end });
    });
    return found;
  }
}

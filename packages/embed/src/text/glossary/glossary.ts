/**
 * Puts plain wording in the place of a trade's own terms ("CTP margin" → "futures trading margin"); part of the treatment of
 * a text.
 *
 * A term can begin only where a word begins, so one look-up per word finds the terms that may begin there, by their first
 * word; of these the longest that fits wins, and reading goes on behind it. That is what an automaton over all terms finds
 * (leftmost, longest), at less cost: see docs/decisions/0092-glossary-by-first-word.md.
 */

import { isWordEnd, isWordStart, readWord } from './words.ts';

/** One term and what stands for it. */
export interface GlossaryEntry {
  term: string;
  wording: string;
  /**
   * `exact`: only as written; `any`: in capitals or not. Default: `exact` for a term in capitals only (an acronym such as
   * "IT", which "it" is not), else `any`.
   */
  case?: 'exact' | 'any' | undefined;
}

/** A term with its first word looked up. */
interface Candidate {
  /** As it is compared: folded, unless it is `exact`. */
  term: string;
  wording: string;
  isExact: boolean;
}

/** A text with its terms replaced. */
export interface ReplacedText {
  text: string;
  replacements: number;
}

/** Terms, ready to be looked for; immutable. */
export class Glossary {
  /** Terms by their first word, folded; of each word the longest first. */
  readonly #byFirstWord = new Map<string, Candidate[]>();

  /** Of two entries with the same term and case the last one counts; an entry with a blank term is left out. */
  constructor(entries: Iterable<GlossaryEntry>) {
    const unique = new Map<string, Candidate>();
    for (const { term: given, wording, case: rule } of entries) {
      const written = given.trim();
      const isExact = rule === undefined ? isAcronym(written) : rule === 'exact';
      const term = isExact ? written : fold(written);
      if (term !== '') unique.set(`${isExact} ${term}`, { term, wording, isExact });
    }
    for (const candidate of unique.values()) {
      const word = fold(readWord(candidate.term, 0));
      const others = this.#byFirstWord.get(word);
      if (others === undefined) this.#byFirstWord.set(word, [candidate]);
      else others.push(candidate);
    }
    for (const candidates of this.#byFirstWord.values()) candidates.sort(longestFirst);
  }

  /** Terms in it. */
  get size(): number {
    let terms = 0;
    for (const candidates of this.#byFirstWord.values()) terms += candidates.length;
    return terms;
  }

  /** The text with every term replaced, once: what stands for a term is not looked at again. */
  apply(text: string): ReplacedText {
    const folded = fold(text);
    let replaced = '';
    let replacements = 0;
    let kept = 0;
    for (let at = 0; at < text.length; ) {
      const word = readWord(folded, at);
      const found = isWordStart(text, at) ? this.#longestAt(text, folded, at, word) : undefined;
      if (found === undefined) {
        at += word.length;
        continue;
      }
      replaced += text.slice(kept, at) + found.wording;
      replacements += 1;
      at += found.term.length;
      kept = at;
    }
    return replacements === 0 ? { text, replacements } : { text: replaced + text.slice(kept), replacements };
  }

  #longestAt(text: string, folded: string, at: number, word: string): Candidate | undefined {
    return this.#byFirstWord
      .get(word)
      ?.find(
        ({ term, isExact }) =>
          (isExact ? text : folded).startsWith(term, at) && isWordEnd(text, at + term.length),
      );
  }
}

/** Capitals and their small letters become one, character by character, so that places stay the same. */
function fold(text: string): string {
  const whole = text.toLowerCase();
  const folded = whole.length === text.length ? whole : Array.from(text, foldCharacter).join('');
  return folded.replaceAll('ς', 'σ');
}

/** A few capitals have small letters of another length (İ); they are left as they are. */
function foldCharacter(character: string): string {
  const small = character.toLowerCase();
  return small.length === character.length ? small : character;
}

/** Two capitals or more, and no small letter. */
function isAcronym(term: string): boolean {
  return /\p{Lu}.*\p{Lu}/u.test(term) && !/\p{Ll}/u.test(term);
}

function longestFirst(a: Candidate, b: Candidate): number {
  // Of two that fit, the one that is exact says more.
  return b.term.length - a.term.length || Number(b.isExact) - Number(a.isExact);
}

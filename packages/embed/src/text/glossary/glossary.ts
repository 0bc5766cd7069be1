/**
 * Puts plain wording in the place of a trade's own terms ("CTP margin" → "futures trading margin"); part of the treatment of
 * a text.
 *
 * A tree of words: a term can begin and end only where words do, so a text is cut into words once, and from each of them the
 * tree is followed as far as it goes. The longest term on the way wins, and reading goes on behind it. That is what an
 * automaton over characters finds (leftmost, longest), with a step per word: docs/decisions/0092-glossary-as-a-tree-of-words.md.
 */

import { isWordEnd, isWordStart, wordsOf } from './words.ts';

/** A letter, digit or mark of any script at the edge of a text, of which two units are enough to see. */
const ENDS_WITH_LETTER = /[\p{L}\p{N}\p{M}]$/u;
const STARTS_WITH_LETTER = /^[\p{L}\p{N}\p{M}]/u;

/** White space other than a blank, one unit each. */
const OTHER_BLANK = /[^\S ]/g;

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

/** A word of a term, and what may follow it. */
interface Node {
  next?: Map<string, Node>;
  /** What stands for the term that ends here, in whatever capitals. */
  wording?: string;
  /** The same by the term as it must be written. */
  exact?: Map<string, string>;
}

/** A text with its terms replaced. */
export interface ReplacedText {
  text: string;
  replacements: number;
}

/** Terms, ready to be looked for; immutable. */
export class Glossary {
  readonly #root: Node = {};
  #size = 0;

  /** Of two entries with the same term and case the last one counts; an entry with a blank term is left out. */
  constructor(entries: Iterable<GlossaryEntry>) {
    for (const { term, wording, case: rule } of entries) {
      const written = term.trim().replace(OTHER_BLANK, ' ');
      if (written !== '')
        this.#add(written, wording, rule === undefined ? isAcronym(written) : rule === 'exact');
    }
  }

  /** Terms in it. */
  get size(): number {
    return this.#size;
  }

  /**
   * The text with every term replaced, once: what stands for a term is not looked at again. A blank sets it apart where it
   * would touch a letter, as terms may in scripts without blanks, beside signs and emoji: a tokenizer would take both for
   * one word, mostly an unknown one.
   */
  apply(text: string): ReplacedText {
    const words = wordsOf(fold(text));
    const pieces: string[] = [];
    let replacements = 0;
    let kept = 0;
    let at = 0;
    for (let first = 0; first < words.length; ) {
      const found = this.#root.next?.has(words[first]!) ? this.#longestAt(text, at, words, first) : undefined;
      if (found === undefined) {
        at += words[first]!.length;
        first += 1;
        continue;
      }
      addApart(pieces, text.slice(kept, at));
      addApart(pieces, found.wording);
      replacements += 1;
      at = found.end;
      kept = at;
      first += found.words;
    }
    if (replacements === 0) return { text, replacements };
    addApart(pieces, text.slice(kept));
    return { text: pieces.join(''), replacements };
  }

  #add(written: string, wording: string, isExact: boolean): void {
    let node = this.#root;
    for (const word of wordsOf(fold(written))) {
      node.next ??= new Map();
      const next = node.next.get(word) ?? {};
      node.next.set(word, next);
      node = next;
    }
    const isNew = isExact ? node.exact?.has(written) !== true : node.wording === undefined;
    this.#size += Number(isNew);
    if (!isExact) node.wording = wording;
    else {
      node.exact ??= new Map();
      node.exact.set(written, wording);
    }
  }

  /** The longest term that begins with a word; of two that are the same but for capitals, the one that is exact. */
  #longestAt(
    text: string,
    at: number,
    words: readonly string[],
    first: number,
  ): { wording: string; end: number; words: number } | undefined {
    if (!isWordStart(text, at)) return undefined;
    let longest: { wording: string; end: number; words: number } | undefined;
    let end = at;
    let node: Node | undefined = this.#root;
    for (let i = first; i < words.length; i++) {
      node = node.next?.get(words[i]!);
      if (node === undefined) break;
      end += words[i]!.length;
      const wording: string | undefined =
        node.exact?.get(text.slice(at, end).replace(OTHER_BLANK, ' ')) ?? node.wording;
      if (wording !== undefined && isWordEnd(text, end)) longest = { wording, end, words: i - first + 1 };
    }
    return longest;
  }
}

/** Adds a piece of a text, behind a blank where it would touch a letter with a letter. */
function addApart(pieces: string[], piece: string): void {
  if (piece === '') return;
  if (ENDS_WITH_LETTER.test(pieces.at(-1)?.slice(-2) ?? '') && STARTS_WITH_LETTER.test(piece.slice(0, 2))) {
    pieces.push(' ');
  }
  pieces.push(piece);
}

/**
 * Capitals and their small letters become one, character by character, so that places stay the same; so do a blank and a
 * line break, which a term may be broken by.
 */
function fold(text: string): string {
  const whole = text.toLowerCase();
  const folded = whole.length === text.length ? whole : Array.from(text, foldCharacter).join('');
  return folded.replace(OTHER_BLANK, ' ').replaceAll('ς', 'σ');
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

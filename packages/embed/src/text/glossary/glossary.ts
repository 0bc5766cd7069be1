/**
 * Replaces terms of a field by plain wording ("CTP margin" → "futures trading margin"); part of the treatment
 * of a text.
 *
 * The glossary is a tree of words. A term can begin and end only at word boundaries, so a text is split into
 * words once, and the tree is followed from each word as far as it matches. The longest term wins, and the
 * search continues after it. The result is that of an automaton over characters (leftmost, longest), with one
 * step per word: docs/decisions/0092-glossary-as-a-tree-of-words.md.
 */

import { isWordEnd, isWordStart, wordsOf } from './words.ts';

/** A letter, digit or mark of any script at the edge of a text; two UTF-16 units suffice to detect it. */
const ENDS_WITH_LETTER = /[\p{L}\p{N}\p{M}]$/u;
const STARTS_WITH_LETTER = /^[\p{L}\p{N}\p{M}]/u;

/** White space other than the space character, one UTF-16 unit each. */
const OTHER_SPACE = /[^\S ]/g;

/** A term and its replacement. */
export interface GlossaryEntry {
  term: string;
  wording: string;
  /**
   * `exact` matches only as written, `any` ignores case. Default: `exact` for a term in capitals only (an
   * acronym such as "IT", which "it" is not), else `any`.
   */
  case?: 'exact' | 'any' | undefined;
}

/** A word of a term, and the words that may follow it. */
interface Node {
  next?: Map<string, Node>;
  /** Replacement of the case-insensitive term that ends here. */
  wording?: string;
  /** Replacements of the exact terms that end here, by the term as written. */
  exact?: Map<string, string>;
}

/** A text with its terms replaced. */
export interface ReplacedText {
  text: string;
  /** Number of terms replaced. */
  replacements: number;
}

/** A searchable, immutable set of terms. */
export class Glossary {
  readonly #root: Node = {};
  #size = 0;

  /**
   * Of two entries with the same term and case the last one counts; an entry with a blank term is ignored.
   */
  constructor(entries: Iterable<GlossaryEntry>) {
    for (const { term, wording, case: rule } of entries) {
      const written = term.trim().replace(OTHER_SPACE, ' ');
      if (written !== '')
        this.#add(written, wording, rule === undefined ? isAcronym(written) : rule === 'exact');
    }
  }

  /** Number of terms. */
  get size(): number {
    return this.#size;
  }

  /**
   * Replaces every term once; replacements are not searched again. A space is added where a replacement would
   * touch a letter, as happens in scripts without spaces and beside symbols and emoji: a tokenizer would read
   * both as one word, mostly an unknown one.
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
      addSeparated(pieces, text.slice(kept, at));
      addSeparated(pieces, found.wording);
      replacements += 1;
      at = found.end;
      kept = at;
      first += found.words;
    }
    if (replacements === 0) return { text, replacements };
    addSeparated(pieces, text.slice(kept));
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

  /**
   * Finds the longest term that begins with a word; an exact term takes precedence over one that ignores
   * case.
   */
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
        node.exact?.get(text.slice(at, end).replace(OTHER_SPACE, ' ')) ?? node.wording;
      if (wording !== undefined && isWordEnd(text, end)) longest = { wording, end, words: i - first + 1 };
    }
    return longest;
  }
}

/** Adds a piece of a text, after a space if two letters would touch. */
function addSeparated(pieces: string[], piece: string): void {
  if (piece === '') return;
  if (ENDS_WITH_LETTER.test(pieces.at(-1)?.slice(-2) ?? '') && STARTS_WITH_LETTER.test(piece.slice(0, 2))) {
    pieces.push(' ');
  }
  pieces.push(piece);
}

/**
 * Maps a text to lower case character by character, so that positions stay the same, and every white space to
 * a space, because a line break may be inside a term.
 */
function fold(text: string): string {
  const whole = text.toLowerCase();
  const folded = whole.length === text.length ? whole : Array.from(text, foldCharacter).join('');
  return folded.replace(OTHER_SPACE, ' ').replaceAll('ς', 'σ');
}

/** Lower-cases a character; the few whose lower case has another length (İ) stay unchanged. */
function foldCharacter(character: string): string {
  const small = character.toLowerCase();
  return small.length === character.length ? small : character;
}

/** Returns true for at least two capitals and no lower-case letter. */
function isAcronym(term: string): boolean {
  return /\p{Lu}.*\p{Lu}/u.test(term) && !/\p{Ll}/u.test(term);
}

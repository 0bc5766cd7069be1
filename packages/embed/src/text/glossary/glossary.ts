/**
 * Replaces terms of a field by plain wording ("CTP margin" → "futures trading margin"); part of the treatment
 * of a text.
 *
 * The glossary is a tree of words. A term can begin and end only at word boundaries, so a text is split into
 * words once, and the tree is followed from each word as far as it matches. The longest term wins, and the
 * search continues after it. The result is that of an automaton over characters (leftmost, longest), with one
 * step per word: docs/decisions/0092-glossary-as-a-tree-of-words.md.
 */

import { mainScriptOf, scriptOfLanguage } from '@embedmill/contract';
import { isWordStart, wordsOf } from './words.ts';

/** A letter, digit or mark of any script at the edge of a text; two UTF-16 units suffice to detect it. */
const ENDS_WITH_LETTER = /[\p{L}\p{N}\p{M}]$/u;
const STARTS_WITH_LETTER = /^[\p{L}\p{N}\p{M}]/u;

const FIRST_NOT_ASCII = 0x80;

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
  /**
   * BCP 47 tag: the term applies only to texts mostly in the script of this language. Such a term takes precedence
   * over one without a language. Default: all texts.
   */
  language?: string | undefined;
}

/** Replacements of a term; `null` keeps the term as it is in the text. */
interface Wordings {
  everywhere?: string | null;
  byScript?: Map<string, string | null>;
}

/** A word of a term, and the words that may follow it. */
interface Node {
  next?: Map<string, Node>;
  /** Replacements of the case-insensitive term that ends here. */
  folded?: Wordings;
  /** Replacements of the exact terms that end here, by the term as written. */
  exact?: Map<string, Wordings>;
}

/** A term in a text. */
interface Found {
  wording: string | null;
  end: number;
  words: number;
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
   * Of two entries with the same term, case and script of the language the last one counts; an entry with a blank term
   * is ignored, and so is the language of an entry if its script is unknown.
   */
  constructor(entries: Iterable<GlossaryEntry>) {
    const scripts = new Map<string | undefined, string | undefined>([[undefined, undefined]]);
    for (const { term, wording, case: rule, language } of entries) {
      const written = writtenTerm(term);
      if (written === '') continue;
      if (!scripts.has(language)) scripts.set(language, scriptOfLanguage(language!));
      // A term that is its own wording protects its text from shorter terms.
      this.#add(written, wording === written ? null : wording, isExact(written, rule), scripts.get(language));
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
    const words = wordsOf(foldCase(text));
    const scriptOfText = once(() => mainScriptOf(text));
    const pieces: string[] = [];
    let replacements = 0;
    let kept = 0;
    let at = 0;
    const starts = this.#root.next ?? new Map<string, Node>();
    for (let first = 0; first < words.length; ) {
      const word = words[first]!;
      // Half of the words are spaces, with which no term starts.
      const found =
        word !== ' ' && starts.has(word) ? this.#longestAt(text, at, words, first, scriptOfText) : undefined;
      if (found === undefined) {
        at += word.length;
        first += 1;
        continue;
      }
      if (found.wording !== null) {
        addSeparated(pieces, text.slice(kept, at));
        addSeparated(pieces, found.wording);
        replacements += 1;
        kept = found.end;
      }
      at = found.end;
      first += found.words;
    }
    if (replacements === 0) return { text, replacements };
    addSeparated(pieces, text.slice(kept));
    return { text: pieces.join(''), replacements };
  }

  #add(written: string, wording: string | null, isCased: boolean, script: string | undefined): void {
    let node = this.#root;
    for (const word of wordsOf(foldCase(written))) {
      node.next ??= new Map();
      const next = node.next.get(word) ?? {};
      node.next.set(word, next);
      node = next;
    }
    if (isCased) node.exact ??= new Map();
    const known = isCased ? node.exact?.get(written) : node.folded;
    const wordings: Wordings = known ?? {};
    if (known === undefined && isCased) node.exact?.set(written, wordings);
    else if (known === undefined) node.folded = wordings;
    if (script === undefined) {
      this.#size += Number(wordings.everywhere === undefined);
      wordings.everywhere = wording;
      return;
    }
    wordings.byScript ??= new Map();
    this.#size += Number(!wordings.byScript.has(script));
    wordings.byScript.set(script, wording);
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
    scriptOfText: () => string | undefined,
  ): Found | undefined {
    if (!isWordStart(text, at)) return undefined;
    let longest: Found | undefined;
    let end = at;
    let node: Node | undefined = this.#root;
    for (let i = first; i < words.length; i++) {
      node = node.next?.get(words[i]!);
      if (node === undefined) break;
      end += words[i]!.length;
      const exact = node.exact?.get(text.slice(at, end).replace(OTHER_SPACE, ' '));
      const inText = exact === undefined ? undefined : wordingFor(exact, scriptOfText);
      const wording =
        inText === undefined && node.folded !== undefined ? wordingFor(node.folded, scriptOfText) : inText;
      if (wording !== undefined) longest = { wording, end, words: i - first + 1 };
    }
    return longest;
  }
}

/** Returns the replacement for a text; undefined if the term does not apply to it. */
function wordingFor(
  { everywhere, byScript }: Wordings,
  scriptOfText: () => string | undefined,
): string | null | undefined {
  const wording = byScript?.get(scriptOfText() ?? '');
  return wording === undefined ? everywhere : wording;
}

/** Returns a function that computes its value at the first call. */
function once<Value>(compute: () => Value): () => Value {
  let computed: { value: Value } | undefined;
  return () => {
    computed ??= { value: compute() };
    return computed.value;
  };
}

/** Returns a term as it is searched for: trimmed, with spaces for all white space. */
export function writtenTerm(term: string): string {
  return term.trim().replace(OTHER_SPACE, ' ');
}

/** Returns true if a term matches only as written. */
export function isExact(written: string, rule: GlossaryEntry['case']): boolean {
  return rule === undefined ? isAcronym(written) : rule === 'exact';
}

/** Adds a piece of a text, after a space if two letters would touch. */
function addSeparated(pieces: string[], piece: string): void {
  if (piece === '') return;
  const before = pieces.at(-1);
  if (before !== undefined && startsWithLetter(piece) && endsWithLetter(before)) pieces.push(' ');
  pieces.push(piece);
}

function endsWithLetter(text: string): boolean {
  const unit = text.charCodeAt(text.length - 1);
  return unit < FIRST_NOT_ASCII ? isAsciiLetter(unit) : ENDS_WITH_LETTER.test(text.slice(-2));
}

function startsWithLetter(text: string): boolean {
  const unit = text.charCodeAt(0);
  return unit < FIRST_NOT_ASCII ? isAsciiLetter(unit) : STARTS_WITH_LETTER.test(text.slice(0, 2));
}

/** Whether a character of ASCII is a letter or digit. */
function isAsciiLetter(unit: number): boolean {
  const lower = unit | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
}

/**
 * Maps a text to lower case character by character, so that positions stay the same, and every white space to
 * a space, because a line break may be inside a term.
 */
export function foldCase(text: string): string {
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

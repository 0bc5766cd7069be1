/**
 * Finds the words of texts that a model does not know: words with unknown tokens, and words in many pieces. Neighbouring
 * ones that occur together count as one term.
 */

import {
  ALL_STOP_WORDS,
  isContraction,
  isWithoutSpaces,
  WordSplitter,
  withoutPossessive,
} from '@embedmill/analysis';

/** Maximum words per term. */
const MAX_TERM_WORDS = 3;

/** A phrase is a term if it has at least this share of the occurrences of its rarest word. */
const PHRASE_SHARE = 0.6;

/** Longer words are addresses and codes. */
const MAX_WORD_CHARS = 40;

/** Minimum characters of a term, and of a known word in scripts with spaces. */
const MIN_TERM_CHARS = 2;
const MIN_KNOWN_CHARS = 3;

/** Texts kept per term. */
const MAX_EXAMPLES = 5;

/** A term that the model does not know. */
export interface TermCandidate {
  /** As first written. */
  term: string;
  count: number;
  /** Number of texts with the term. */
  texts: number;
  /** Tokens of the term, and how many of them the vocabulary does not know. */
  pieces: number;
  unknown: number;
  /** Indexes of texts with the term, at most five. */
  examples: number[];
}

/** Dependencies and options of a {@link TermCounter}. */
export interface TermCounterOptions {
  /** Tokens of a word, and how many of them are unknown. */
  countPieces: (word: string) => { tokens: number; unknown: number };
  /** Minimum tokens of a word that counts as unknown although the model knows each of them. */
  minPieces: number;
}

/** A word or phrase while it is counted. */
interface Entry extends TermCandidate {
  /** Keys of its words; one for a word. */
  parts: readonly string[];
}

/** A word in its text. */
interface PlacedWord {
  key: string;
  start: number;
  end: number;
}

/** Counts words and phrases, text by text. */
export class TermCounter {
  readonly #options: TermCounterOptions;
  readonly #splitter = new WordSplitter();
  /** Tokens of each word, if the model does not know it; `null` if it does. */
  readonly #pieces = new Map<string, { tokens: number; unknown: number } | null>();
  readonly #entries = new Map<string, Entry>();
  /** Number of texts by known word. */
  readonly #known = new Map<string, number>();
  #texts = 0;

  constructor(options: TermCounterOptions) {
    this.#options = options;
  }

  /** Adds a text. Its index is the number of texts before it. */
  add(text: string): void {
    const index = this.#texts++;
    let run: PlacedWord[] = [];
    const knownHere = new Set<string>();
    for (const { word: found, start } of this.#splitter.split(text)) {
      const word = withoutPossessive(found);
      const placed = { key: word.toLowerCase(), start, end: start + word.length };
      const isWord = !ALL_STOP_WORDS.has(placed.key) && !isContraction(word);
      const isUnknown = isWord && this.#piecesOf(word, placed.key) !== null;
      const before = run.at(-1);
      const isAdjacent = before !== undefined && /^ ?$/.test(text.slice(before.end, start));
      if (!isUnknown || !isAdjacent) run = [];
      if (!isUnknown) {
        knownHere.add(placed.key);
        continue;
      }
      run = [...run, placed].slice(-MAX_TERM_WORDS);
      for (let from = 0; from < run.length; from++) this.#count(text, index, run.slice(from));
    }
    for (const key of knownHere) this.#known.set(key, (this.#known.get(key) ?? 0) + 1);
  }

  /** The terms in at least `minTexts` texts, most frequent first. @param leftOut terms to omit, in lower case */
  terms(minTexts: number, leftOut: ReadonlySet<string>): TermCandidate[] {
    const frequent = [...this.#entries].filter(([, { texts }]) => texts >= minTexts);
    const dropped = new Set<string>();
    // Longer phrases first, so that they can take the place of shorter ones.
    frequent.sort(([, a], [, b]) => b.parts.length - a.parts.length);
    for (const [key, { parts, count }] of frequent) {
      if (parts.length === 1 || dropped.has(key)) continue;
      const rarest = Math.min(...parts.map((part) => this.#entries.get(part)!.count));
      if (count < PHRASE_SHARE * rarest) {
        dropped.add(key);
        continue;
      }
      for (const shorter of shorterKeys(parts)) {
        if (count >= PHRASE_SHARE * (this.#entries.get(shorter)?.count ?? Infinity)) dropped.add(shorter);
      }
    }
    return frequent
      .filter(([key]) => !dropped.has(key) && !leftOut.has(key) && key.length >= MIN_TERM_CHARS)
      .map(([, { parts: _, ...term }]) => term)
      .sort((a, b) => b.texts - a.texts || b.count - a.count || (a.term < b.term ? -1 : 1));
  }

  /** Known words in at least `minTexts` texts, most frequent first. */
  knownWords(minTexts: number, max: number): string[] {
    return [...this.#known]
      .filter(
        ([word, texts]) =>
          texts >= minTexts &&
          !ALL_STOP_WORDS.has(word) &&
          (word.length >= MIN_KNOWN_CHARS || isWithoutSpaces(word)),
      )
      .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
      .slice(0, max)
      .map(([word]) => word);
  }

  #count(text: string, index: number, words: readonly PlacedWord[]): void {
    const [first, last] = [words[0]!, words.at(-1)!];
    const term = text.slice(first.start, last.end);
    const key = term.toLowerCase();
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const parts = words.map((word) => word.key);
      const { tokens, unknown } =
        parts.length === 1 ? this.#pieces.get(key)! : this.#options.countPieces(term);
      entry = { term, count: 0, texts: 0, pieces: tokens, unknown, examples: [], parts };
      this.#entries.set(key, entry);
    }
    entry.count += 1;
    if (entry.examples.at(-1) === index) return;
    if (entry.examples.length < MAX_EXAMPLES) entry.examples.push(index);
    entry.texts += 1;
  }

  /** The tokens of a word that the model does not know; `null` for a known word. */
  #piecesOf(word: string, key: string): { tokens: number; unknown: number } | null {
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const pieces = word.length > MAX_WORD_CHARS ? { tokens: 0, unknown: 0 } : this.#options.countPieces(word);
    // In scripts without spaces every character may be a piece.
    const isSplit = !isWithoutSpaces(word) && pieces.tokens >= this.#options.minPieces;
    const unknown = pieces.unknown > 0 || isSplit ? pieces : null;
    this.#pieces.set(key, unknown);
    return unknown;
  }
}

/** Keys of the words of a phrase and of its shorter phrases, which are joined with or without a space. */
function shorterKeys(parts: readonly string[]): string[] {
  const pairs =
    parts.length < MAX_TERM_WORDS ? [] : parts.slice(1).map((part, n) => [parts[n]!, part] as const);
  return [...parts, ...pairs.flatMap(([a, b]) => [`${a}${b}`, `${a} ${b}`])];
}

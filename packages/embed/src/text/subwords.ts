/**
 * The port of `TextTokenizer` to a tokenizer that reads long texts itself, and the adapter for the library
 * `@huggingface/tokenizers`, whose models read a whole text before anything can be cut.
 */

import type { Tokenizer } from '@huggingface/tokenizers';
import type { PartialIds } from './unigram/unigram.ts';
import type { VocabularyFacts } from './unknown-tokens.ts';

/** A tokenizer for whole texts of any length. */
export interface SubwordTokenizer {
  /** Special tokens before and after the text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** Returns the ids of the whole text, or of a beginning that has at least `maxIds`. */
  encode(text: string, maxIds?: number): PartialIds;
  /** Returns the ids of an end of the text that has at least `maxIds`, or of the whole text. */
  encodeEnd(text: string, maxIds: number): PartialIds;
  /** Returns the text of a token; undefined for an id outside the vocabulary. */
  tokenOf(id: number): string | undefined;
  /** Facts for the language signal. */
  readonly vocabulary: VocabularyFacts;
}

/** What `PartedTokenizer` needs to know of the file of its tokenizer. */
export interface PartedTokenizerOptions extends Omit<VocabularyFacts, 'tokenOf'> {
  /** Special tokens before a text. */
  prefix: readonly number[];
  /** Special tokens after a text. */
  suffix: readonly number[];
  /** UTF-16 units of a part; a part without a space has at most twice as many. */
  partUnits: number;
}

/** UTF-16 units of a part of a long text, before the next position where it may be cut. */
export const PART_UNITS = 4096;

/** A letter, a space and a letter: BPE models published on the Hub end a token before the space. */
const CUT = /[A-Za-z] (?=[A-Za-z])/;

/**
 * Adapts the library for long texts: it gets them in parts. A part ends before a space between two ASCII letters,
 * where no token of the model continues, so that the ids are those of the whole text; only in words of more than
 * 4,096 characters the ids at a seam may differ.
 */
export class PartedTokenizer implements SubwordTokenizer {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly #tokenizer: Tokenizer;
  readonly vocabulary: VocabularyFacts;
  readonly #partUnits: number;
  readonly #canCut: boolean;

  constructor(tokenizer: Tokenizer, { prefix, suffix, partUnits, ...facts }: PartedTokenizerOptions) {
    this.#tokenizer = tokenizer;
    this.prefix = prefix;
    this.suffix = suffix;
    this.#partUnits = partUnits;
    this.vocabulary = { ...facts, tokenOf: (id) => tokenizer.id_to_token(id) };
    // A tokenizer that adds a space before every part must not be given parts.
    const whole = this.#idsOf('one two');
    this.#canCut = [...this.#idsOf('one'), ...this.#idsOf(' two')].join() === whole.join();
  }

  encode(text: string, maxIds = Infinity): PartialIds {
    const ids: number[] = [];
    let readUnits = 0;
    for (const part of this.#partsOf(text)) {
      if (ids.length >= maxIds) break;
      for (const id of this.#idsOf(part)) ids.push(id);
      readUnits += part.length;
    }
    return { ids, readUnits };
  }

  encodeEnd(text: string, maxIds: number): PartialIds {
    let ids: number[] = [];
    let readUnits = 0;
    for (const part of [...this.#partsOf(text)].reverse()) {
      if (ids.length >= maxIds) break;
      ids = [...this.#idsOf(part), ...ids];
      readUnits += part.length;
    }
    return { ids, readUnits };
  }

  tokenOf(id: number): string | undefined {
    return this.#tokenizer.id_to_token(id);
  }

  #idsOf(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  *#partsOf(text: string): Generator<string> {
    let start = 0;
    while (text.length - start > 2 * this.#partUnits) {
      const end = this.#cutAfter(text, start + this.#partUnits);
      yield text.slice(start, end);
      start = end;
    }
    yield text.slice(start);
  }

  #cutAfter(text: string, from: number): number {
    const limit = from + this.#partUnits;
    if (this.#canCut) {
      const found = CUT.exec(text.slice(from, limit));
      if (found !== null) return from + found.index + 1;
    }
    const isInsidePair = /^[\udc00-\udfff]/.test(text.slice(limit, limit + 1));
    return isInsidePair ? limit - 1 : limit;
  }
}

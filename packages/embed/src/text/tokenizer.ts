/** Turns a text into the token ids for the model, within its limit; the embedder owns one. */

import { readFile } from 'node:fs/promises';
import type { TextToken, Truncate } from '@embedmill/contract';
import type { WordPieceTokenizer } from '@embedmill/engine';
import { Tokenizer } from '@huggingface/tokenizers';
import { EmbedError } from '../errors.ts';
import { keepEnd, keepStart, squeeze } from './cut.ts';
import { matchReference } from './reference-bert.ts';
import { openWordPiece, type WordPieceFile } from './wordpiece.ts';

/** Token ids of a text, and how many tokens were cut off. */
export interface EncodedText {
  /** At most `maxTokens` ids, special tokens included. */
  ids: number[];
  /** Tokens of the text that were read, without special tokens; 0 if there is nothing to embed. */
  contentTokens: number;
  /** See `RowOutcome.lostTokens`. */
  lostTokens: number;
}

/** Fields of tokenizer.json that are read here. */
interface TokenizerFile extends WordPieceFile {
  truncation: unknown;
  padding: unknown;
}

/** Options of `TextTokenizer.read`. */
export interface TokenizerOptions {
  /** Whether the native tokenizer is used where it can be. Default true; the ids are the same. */
  native?: boolean | undefined;
  /** Whether unknown tokens are dropped and no special tokens are added, as static models need it. Default false. */
  knownOnly?: boolean | undefined;
}

/** UTF-16 units read per token. English prose has 4 to 5, so that the first attempt usually suffices. */
const UNITS_PER_TOKEN = 6;

/** A tokenizer with the token limit of its model. */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #maxTokens: number;
  /** Special tokens before the text. */
  readonly #prefix: number[];
  /** Special tokens after the text. */
  readonly #suffix: number[];
  /** Facts of a BERT tokenizer; undefined for any other kind, whose texts are tokenized whole. */
  readonly #bert: { lowercase: boolean; ideographs: boolean; inner: ReadonlySet<string> } | undefined;
  /** Id that is left out of every text. */
  readonly #droppedId: number | undefined;
  /** Tokenizes in place of the library. */
  readonly #native: WordPieceTokenizer | undefined;

  private constructor(
    file: TokenizerFile,
    maxTokens: number,
    { native = true, knownOnly = false }: TokenizerOptions,
  ) {
    // Published files contain settings for truncation and padding; the embedder decides both itself.
    this.#tokenizer = new Tokenizer({ ...file, truncation: null, padding: null }, {});
    this.#maxTokens = maxTokens;
    const bare: number[] = this.#tokenizer.encode('a', { add_special_tokens: false }).ids;
    const framed: number[] = this.#tokenizer.encode('a').ids;
    const start = framed.findIndex((_, i) => bare.every((id, j) => framed[i + j] === id));
    this.#prefix = knownOnly ? [] : framed.slice(0, start);
    this.#suffix = knownOnly ? [] : framed.slice(start + bare.length);
    this.#droppedId = knownOnly ? unknownIdOf(file) : undefined;
    if (file.normalizer?.type === 'BertNormalizer' && file.pre_tokenizer?.type === 'BertPreTokenizer') {
      const inner = new Set(file.added_tokens.flatMap(({ content }) => [...content].slice(1)));
      this.#bert = {
        lowercase: file.normalizer.lowercase !== false,
        ideographs: file.normalizer.handle_chinese_chars !== false,
        inner,
      };
    }
    this.#native = native ? openWordPiece(file) : undefined;
  }

  /**
   * Reads a tokenizer.json.
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async read(path: string, maxTokens: number, options: TokenizerOptions = {}): Promise<TextTokenizer> {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the tokenizer "${path}"`, { cause });
    });
    try {
      return new TextTokenizer(JSON.parse(text), maxTokens, options);
    } catch (cause) {
      throw new EmbedError('MODEL_INVALID', `"${path}" is not a supported tokenizer`, { cause });
    }
  }

  /**
   * Encodes a text, or takes its token ids, truncated to the limit. `error` truncates like `end`, and the
   * caller checks `lostTokens`.
   * @param prompt token ids before the text, which are never cut
   */
  encode(text: string | readonly number[], truncate: Truncate, prompt: readonly number[] = []): EncodedText {
    const room = this.roomAfter(prompt);
    const { ids, unreadTokens } =
      typeof text === 'string' ? this.#read(text, room, truncate) : { ids: text, unreadTokens: 0 };
    const kept = truncate === 'start' ? ids.slice(Math.max(0, ids.length - room)) : ids.slice(0, room);
    return {
      ids: this.frame([...prompt, ...kept]),
      contentTokens: ids.length,
      lostTokens: ids.length - kept.length + unreadTokens,
    };
  }

  /** Whether the native tokenizer is used. */
  get isNative(): boolean {
    return this.#native !== undefined;
  }

  /** Returns the number of tokens of the whole text, special tokens included. */
  count(text: string): number {
    return this.#prefix.length + this.idsOf(text).length + this.#suffix.length;
  }

  /** Returns the token ids of the whole text, without special tokens. */
  idsOf(text: string): number[] {
    const ids = this.#allIdsOf(text);
    return this.#droppedId === undefined ? ids : ids.filter((id) => id !== this.#droppedId);
  }

  #allIdsOf(text: string): number[] {
    if (this.#native !== undefined) return this.#native.idsOf(text);
    const corrected = this.#bert ? matchReference(text, this.#bert) : text;
    return this.#tokenizer.encode(corrected, { add_special_tokens: false }).ids;
  }

  /** Returns the ids between the special tokens, as the model receives them. */
  frame(ids: readonly number[]): number[] {
    return [...this.#prefix, ...ids, ...this.#suffix];
  }

  /** Returns how many tokens of a text fit after a prompt; 0 if the prompt fills the limit. */
  roomAfter(prompt: readonly number[]): number {
    return Math.max(0, this.#maxTokens - this.#prefix.length - this.#suffix.length - prompt.length);
  }

  /** Returns the tokens of the whole text, with or without the special tokens around it. */
  tokens(text: string, { specialTokens }: { specialTokens: boolean }): TextToken[] {
    const describe = (special: boolean) => (id: number) => ({
      id,
      text: this.#tokenizer.id_to_token(id) ?? '',
      special,
    });
    const own = this.idsOf(text).map(describe(false));
    return specialTokens
      ? [...this.#prefix.map(describe(true)), ...own, ...this.#suffix.map(describe(true))]
      : own;
  }

  /** Returns a message about the first id outside the vocabulary; undefined if there is none. */
  describeUnknownId(ids: readonly number[]): string | undefined {
    const position = ids.findIndex((id) => this.#tokenizer.id_to_token(id) === undefined);
    return position < 0
      ? undefined
      : `token id ${ids[position]} at position ${position} is not in the vocabulary`;
  }

  /** Tokenizes only as much of the text as is certain to hold `room` tokens at the kept end. */
  #read(text: string, room: number, truncate: Truncate): { ids: number[]; unreadTokens: number } {
    if (!this.#bert) return { ids: this.idsOf(text), unreadTokens: 0 };
    const keep = truncate === 'start' ? keepEnd : keepStart;
    let rest = text;
    for (let units = UNITS_PER_TOKEN * this.#maxTokens; ; units *= 4) {
      const piece = keep(rest, units, this.#bert.inner);
      const ids = this.idsOf(piece);
      if (piece.length === rest.length) return { ids, unreadTokens: 0 };
      if (ids.length >= room) {
        return { ids, unreadTokens: Math.ceil((rest.length - piece.length) * (ids.length / piece.length)) };
      }
      rest = squeeze(rest);
    }
  }
}

/** Returns the id of unknown tokens; undefined if the model has none. */
function unknownIdOf({ model, added_tokens }: TokenizerFile): number | undefined {
  // Unigram states the id, WordPiece and BPE the token.
  if (typeof model.unk_id === 'number') return model.unk_id;
  const added = added_tokens.find(({ content }) => content === model.unk_token);
  const vocabulary = model.vocab as Record<string, number> | undefined;
  return added?.id ?? (model.unk_token == null ? undefined : vocabulary?.[model.unk_token]);
}

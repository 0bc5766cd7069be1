/** Turns a text into the ids that the model is fed, within its limit; the embedder owns one. */
import { readFile } from 'node:fs/promises';
import type { TextToken, Truncate } from '@embedmill/contract';
import { Tokenizer } from '@huggingface/tokenizers';
import { EmbedError } from '../errors.ts';
import { keepEnd, keepStart, squeeze } from './cut.ts';
import { matchReference } from './reference-bert.ts';

export interface EncodedText {
  /** At most maxTokens, special tokens included. */
  ids: number[];
  /** Tokens of the text itself that were kept or counted, special tokens excluded; 0: nothing to embed. */
  contentTokens: number;
  /** See `RowOutcome.lostTokens`. */
  lostTokens: number;
}

/** The parts of tokenizer.json that we look at. */
interface TokenizerFile {
  truncation: unknown;
  padding: unknown;
  normalizer: { type: string; lowercase?: boolean } | null;
  pre_tokenizer: { type: string } | null;
  added_tokens: { content: string }[];
}

/** English prose has 4 to 5 UTF-16 units per token: this often holds the whole limit at the first attempt. */
const UNITS_PER_TOKEN = 6;

export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #maxTokens: number;
  /** Special tokens before and behind the text's own. */
  readonly #prefix: number[];
  readonly #suffix: number[];
  /** undefined: not a BERT tokenizer, texts are tokenized as they are. */
  readonly #bert: { lowercase: boolean; inner: ReadonlySet<string> } | undefined;

  private constructor(file: TokenizerFile, maxTokens: number) {
    // Files in the wild bake a truncation and a padding in; both are ours to decide.
    this.#tokenizer = new Tokenizer({ ...file, truncation: null, padding: null }, {});
    this.#maxTokens = maxTokens;
    const bare: number[] = this.#tokenizer.encode('a', { add_special_tokens: false }).ids;
    const framed: number[] = this.#tokenizer.encode('a').ids;
    const start = framed.findIndex((_, i) => bare.every((id, j) => framed[i + j] === id));
    this.#prefix = framed.slice(0, start);
    this.#suffix = framed.slice(start + bare.length);
    if (file.normalizer?.type === 'BertNormalizer' && file.pre_tokenizer?.type === 'BertPreTokenizer') {
      const inner = new Set(file.added_tokens.flatMap(({ content }) => [...content].slice(1)));
      this.#bert = { lowercase: file.normalizer.lowercase !== false, inner };
    }
  }

  /** @throws EmbedError `MODEL_NOT_FOUND` or `MODEL_INVALID` */
  static async read(path: string, maxTokens: number): Promise<TextTokenizer> {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the tokenizer "${path}"`, { cause });
    });
    try {
      return new TextTokenizer(JSON.parse(text), maxTokens);
    } catch (cause) {
      throw new EmbedError('MODEL_INVALID', `"${path}" is not a tokenizer that we can run`, { cause });
    }
  }

  /**
   * Ids of a text or of its tokens, truncated to the limit; with `error` a text beyond it is reported as `end` would cut it.
   * @param prompt ids that stand before the text's own and are never cut
   */
  encode(text: string | readonly number[], truncate: Truncate, prompt: readonly number[] = []): EncodedText {
    const room = this.roomBehind(prompt);
    const { ids, unreadTokens } =
      typeof text === 'string' ? this.#read(text, room, truncate) : { ids: text, unreadTokens: 0 };
    const kept = truncate === 'start' ? ids.slice(Math.max(0, ids.length - room)) : ids.slice(0, room);
    return {
      ids: this.frame([...prompt, ...kept]),
      contentTokens: ids.length,
      lostTokens: ids.length - kept.length + unreadTokens,
    };
  }

  /** Tokens of the whole text, special tokens included. */
  count(text: string): number {
    return this.#prefix.length + this.idsOf(text).length + this.#suffix.length;
  }

  /** Ids of the whole text, without special tokens. */
  idsOf(text: string): number[] {
    const mended = this.#bert ? matchReference(text, this.#bert.lowercase) : text;
    return this.#tokenizer.encode(mended, { add_special_tokens: false }).ids;
  }

  /** Ids with the special tokens around them, as the model is fed. */
  frame(ids: readonly number[]): number[] {
    return [...this.#prefix, ...ids, ...this.#suffix];
  }

  /** Tokens of a text that fit behind these; 0 when they fill the limit themselves. */
  roomBehind(prompt: readonly number[]): number {
    return Math.max(0, this.#maxTokens - this.#prefix.length - this.#suffix.length - prompt.length);
  }

  /** The tokens of the whole text, with or without those that frame it. */
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

  /** What is wrong with the first id that the vocabulary does not have; undefined when it has all. */
  findStranger(ids: readonly number[]): string | undefined {
    const position = ids.findIndex((id) => this.#tokenizer.id_to_token(id) === undefined);
    return position < 0
      ? undefined
      : `token id ${ids[position]} at position ${position} is not in the vocabulary`;
  }

  /** Ids of as much of the text as is sure to hold `room` tokens from the kept end. */
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

/** Turns a text into the token ids for the model, within its limit; the embedder owns one. */

import { readFile } from 'node:fs/promises';
import type { TextToken, Truncate } from '@embedmill/contract';
import { Tokenizer } from '@huggingface/tokenizers';
import { EmbedError } from '../errors.ts';
import { keepEnd, keepStart, squeeze } from './cut.ts';
import { matchReference } from './reference-bert.ts';
import { PART_UNITS, PartedTokenizer, type SubwordTokenizer } from './subwords.ts';
import { UnigramTokenizer } from './unigram/unigram.ts';
import { unknownTable } from './unknown-tokens.ts';

/** Token ids of a text, and how many tokens were cut off. */
export interface EncodedText {
  /** At most `maxTokens` ids, special tokens included. */
  ids: number[];
  /** Tokens of the text that were read, without special tokens; 0 if there is nothing to embed. */
  contentTokens: number;
  /** See `RowOutcome.lostTokens`. */
  lostTokens: number;
  /** Kept tokens that the vocabulary does not know. */
  unknownTokens: number;
}

/** Fields of tokenizer.json that are read here. */
interface TokenizerFile {
  truncation: unknown;
  padding: unknown;
  normalizer: { type: string; lowercase?: boolean } | null;
  pre_tokenizer: { type: string } | null;
  added_tokens: { id: number; content: string; special?: boolean }[];
  model: { type: string; unk_token?: string | null; vocab: Record<string, number> };
}

/** UTF-16 units read per token. English prose has 4 to 5, so that the first attempt usually suffices. */
const UNITS_PER_TOKEN = 6;

/**
 * Texts without anything to embed: white space, control, format and private characters, U+FFFD. BERT gives such a
 * text no token, other tokenizers give it one, so that the rule is here.
 */
const BLANK = /^[\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]*$/u;

/** Ids without special tokens, and how many tokens of the text they leave out. */
interface ReadIds {
  ids: readonly number[];
  unreadTokens: number;
}

/** A tokenizer with the token limit of its model. */
export class TextTokenizer {
  readonly #subwords: SubwordTokenizer;
  readonly #maxTokens: number;
  /** Facts of a BERT tokenizer, whose texts are cut before they are tokenized; undefined for any other kind. */
  readonly #bert: { lowercase: boolean; inner: ReadonlySet<string> } | undefined;
  /** 1 for each id that the vocabulary does not know. */
  #unknown: Uint8Array | undefined;
  /** Tokens of the last prompt. */
  #lastPrompt = { prompt: '', tokens: 0 };

  private constructor(
    subwords: SubwordTokenizer,
    maxTokens: number,
    bert?: { lowercase: boolean; inner: ReadonlySet<string> },
  ) {
    this.#subwords = subwords;
    this.#maxTokens = maxTokens;
    this.#bert = bert;
  }

  /**
   * Reads a tokenizer.json.
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async read(path: string, maxTokens: number): Promise<TextTokenizer> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the tokenizer "${path}"`, { cause });
    });
    try {
      const unigram = UnigramTokenizer.read(bytes);
      if (unigram !== undefined) return new TextTokenizer(unigram, maxTokens);
      const file: TokenizerFile = JSON.parse(bytes.toString('utf8'));
      const bert = readBert(file);
      return new TextTokenizer(openWithLibrary(file, { isCut: bert !== undefined }), maxTokens, bert);
    } catch (cause) {
      throw new EmbedError('MODEL_INVALID', `"${path}" is not a supported tokenizer`, { cause });
    }
  }

  /**
   * Encodes a text, or takes its token ids, truncated to the limit. `error` truncates like `end`, and the
   * caller checks `lostTokens`.
   * @param prompt words before a text, tokenized with it as one text; its tokens are never cut
   */
  encode(text: string | readonly number[], truncate: Truncate, prompt = ''): EncodedText {
    if (typeof text === 'string' && BLANK.test(text)) return this.#encoded(this.idsOf(prompt), 0, 0);
    if (typeof text === 'string' && prompt !== '') return this.#encodeAfter(prompt, text, truncate);
    const room = this.roomAfter('');
    const { ids, unreadTokens } =
      typeof text === 'string' ? this.#read(text, room, truncate) : { ids: text, unreadTokens: 0 };
    const kept = truncate === 'start' ? ids.slice(Math.max(0, ids.length - room)) : ids.slice(0, room);
    return this.#encoded(kept, ids.length, ids.length - kept.length + unreadTokens);
  }

  /**
   * Returns the input of the model for a chunk.
   * @param ids ids of the chunk, read as several parts
   */
  encodeChunk(text: string, ids: readonly number[], prompt: string): number[] {
    const isExact = this.#bert !== undefined && prompt === '';
    return isExact ? this.frame(ids) : this.encode(text, 'end', prompt).ids;
  }

  /** Returns how many of these ids the vocabulary does not know. */
  countUnknown(ids: readonly number[]): number {
    // Built on first use: a vocabulary of 250,000 pieces takes 0.2 s.
    this.#unknown ??= unknownTable(this.#subwords.vocabulary);
    const table = this.#unknown;
    let count = 0;
    for (const id of ids) count += table[id] ?? 0;
    return count;
  }

  /** Returns the number of tokens of the whole text, special tokens included. */
  count(text: string): number {
    return this.frame([]).length + this.idsOf(text).length;
  }

  /** Returns the token ids of the whole text, without special tokens. */
  idsOf(text: string): number[] {
    if (BLANK.test(text)) return [];
    const corrected = this.#bert ? matchReference(text, this.#bert.lowercase) : text;
    return this.#subwords.encode(corrected).ids;
  }

  /** Returns the ids between the special tokens, as the model receives them. */
  frame(ids: readonly number[]): number[] {
    return [...this.#subwords.prefix, ...ids, ...this.#subwords.suffix];
  }

  /** Returns how many tokens of a text fit after a prompt; 0 if the prompt fills the limit. */
  roomAfter(prompt: string): number {
    return Math.max(0, this.#maxTokens - this.frame([]).length - this.#promptTokens(prompt));
  }

  /** Returns the tokens of the whole text, with or without the special tokens around it. */
  tokens(text: string, { specialTokens }: { specialTokens: boolean }): TextToken[] {
    const describe = (special: boolean) => (id: number) => ({
      id,
      text: this.#subwords.tokenOf(id) ?? '',
      special,
    });
    const { prefix, suffix } = this.#subwords;
    const own = this.idsOf(text).map(describe(false));
    return specialTokens ? [...prefix.map(describe(true)), ...own, ...suffix.map(describe(true))] : own;
  }

  /** Returns a message about the first id outside the vocabulary; undefined if there is none. */
  describeUnknownId(ids: readonly number[]): string | undefined {
    const position = ids.findIndex((id) => this.#subwords.tokenOf(id) === undefined);
    return position < 0
      ? undefined
      : `token id ${ids[position]} at position ${position} is not in the vocabulary`;
  }

  /** Encodes prompt and text as one text, as the model was trained. */
  #encodeAfter(prompt: string, text: string, truncate: Truncate): EncodedText {
    const room = this.roomAfter('');
    const promptTokens = this.#promptTokens(prompt);
    const { ids, unreadTokens } = this.#read(prompt + text, room, 'end');
    // A prompt may share a token with its text; a text of accents alone has none.
    const contentTokens =
      ids.length > promptTokens ? ids.length - promptTokens : Math.min(1, this.idsOf(text).length);
    const kept = ids.slice(0, room);
    const lostTokens = ids.length - kept.length + unreadTokens;
    if (lostTokens === 0 || truncate !== 'start') return this.#encoded(kept, contentTokens, lostTokens);
    const end = this.#read(text, Math.max(0, room - promptTokens), 'start');
    const tail = end.ids.slice(Math.max(0, end.ids.length - (room - promptTokens)));
    const lost = end.ids.length - tail.length + end.unreadTokens;
    return this.#encoded([...ids.slice(0, promptTokens), ...tail], end.ids.length, lost);
  }

  #encoded(ids: readonly number[], contentTokens: number, lostTokens: number): EncodedText {
    return {
      ids: this.frame(ids),
      contentTokens,
      lostTokens,
      unknownTokens: this.countUnknown(ids),
    };
  }

  /** Number of tokens of a prompt; a space at its end belongs to the first token of a text. */
  #promptTokens(prompt: string): number {
    if (prompt !== this.#lastPrompt.prompt) {
      this.#lastPrompt = { prompt, tokens: this.idsOf(prompt.trimEnd()).length };
    }
    return this.#lastPrompt.tokens;
  }

  /** Tokenizes only as much of the text as is certain to hold `room` tokens at the kept end. */
  #read(text: string, room: number, truncate: Truncate): ReadIds {
    const bert = this.#bert;
    if (bert === undefined) {
      const isStartCut = truncate === 'start';
      const { ids, readUnits } = isStartCut
        ? this.#subwords.encodeEnd(text, room + 1)
        : this.#subwords.encode(text, room + 1);
      return { ids, unreadTokens: estimateTokens(text.length - readUnits, ids.length, readUnits) };
    }
    const keep = truncate === 'start' ? keepEnd : keepStart;
    let rest = text;
    for (let units = UNITS_PER_TOKEN * this.#maxTokens; ; units *= 4) {
      const piece = keep(rest, units, bert.inner);
      const ids = this.idsOf(piece);
      if (piece.length === rest.length) return { ids, unreadTokens: 0 };
      if (ids.length >= room) {
        return { ids, unreadTokens: estimateTokens(rest.length - piece.length, ids.length, piece.length) };
      }
      rest = squeeze(rest);
    }
  }
}

function estimateTokens(unreadUnits: number, tokens: number, units: number): number {
  return Math.ceil(unreadUnits * (tokens / Math.max(1, units)));
}

/**
 * Opens a tokenizer with the library, and takes the special tokens from what it puts around a letter.
 * @param isCut whether `cut.ts` cuts long texts
 */
function openWithLibrary(file: TokenizerFile, { isCut }: { isCut: boolean }): PartedTokenizer {
  // Published files contain settings for truncation and padding; the embedder decides both itself.
  const tokenizer = new Tokenizer({ ...file, truncation: null, padding: null }, {});
  const bare: number[] = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const framed: number[] = tokenizer.encode('a').ids;
  const start = framed.findIndex((_, i) => bare.every((id, j) => framed[i + j] === id));
  return new PartedTokenizer(tokenizer, {
    prefix: framed.slice(0, start),
    suffix: framed.slice(start + bare.length),
    partUnits: isCut ? Infinity : PART_UNITS,
    specialIds: new Set(file.added_tokens.filter(({ special }) => special).map(({ id }) => id)),
    unknownId: file.model.vocab[file.model.unk_token ?? ''],
    isByteLevel: /"type":"ByteLevel"/.test(JSON.stringify(file.pre_tokenizer)),
  });
}

function readBert(file: TokenizerFile): { lowercase: boolean; inner: ReadonlySet<string> } | undefined {
  if (file.normalizer?.type !== 'BertNormalizer' || file.pre_tokenizer?.type !== 'BertPreTokenizer') {
    return undefined;
  }
  const inner = new Set(file.added_tokens.flatMap(({ content }) => [...content].slice(1)));
  return { lowercase: file.normalizer.lowercase !== false, inner };
}

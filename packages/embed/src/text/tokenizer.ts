/** Turns a text into the token ids for the model, within its limit; the embedder owns one. */

import { readFile } from 'node:fs/promises';
import type { TextToken, Truncate } from '@embedmill/contract';
import { WordPieceTokenizer, wordPieceTables } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import { keepEnd, keepStart, squeeze } from './cut.ts';
import { matchReference } from './reference-bert.ts';
import { type BertFacts, type SharedTokenizer, SharedWordPiece } from './shared-tokenizer.ts';
import { PART_UNITS, PartedTokenizer, type SubwordTokenizer } from './subwords.ts';
import { UnigramTokenizer } from './unigram/unigram.ts';
import { knownScripts, unknownTable } from './unknown-tokens.ts';
import { openWordPiece, type WordPieceFile, wordPieceOptions } from './wordpiece.ts';

/** Token ids of a text, and how many tokens were cut off. */
export interface EncodedText {
  /** At most `maxTokens` ids, special tokens included. */
  ids: number[];
  /** Tokens of the text that were read, without special tokens; 0 if there is nothing to embed. */
  contentTokens: number;
  /** See `RowOutcome.lostTokens`. */
  lostTokens: number;
  /** Tokens that the vocabulary does not know, kept or ignored. */
  unknownTokens: number;
  /** Unknown tokens between the kept ones that are not in `ids`: see `TokenizerOptions.knownOnly`. */
  ignoredTokens: number;
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

/**
 * Texts without anything to embed: white space, control, format and private characters, U+FFFD. BERT gives such a
 * text no token, other tokenizers give it one, so that the rule is here.
 */
const BLANK = /^[\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]*$/u;

/** Ids without special tokens, and how many unknown tokens were left out of them. */
interface KnownIds {
  ids: number[];
  ignoredTokens: number;
}

/** The same for a text that may be read in part, and how many of its tokens were not read. */
interface ReadIds extends KnownIds {
  unreadTokens: number;
}

/** A tokenizer with the token limit of its model. */
export class TextTokenizer {
  readonly #subwords: SubwordTokenizer;
  readonly #maxTokens: number;
  /** Special tokens before and after the text. */
  readonly #prefix: readonly number[];
  readonly #suffix: readonly number[];
  /** Facts of a BERT tokenizer, whose texts are cut before they are tokenized; undefined for any other kind. */
  readonly #bert: BertFacts | undefined;
  /** Tokenizes whole texts in place of the library. */
  readonly #native: WordPieceTokenizer | undefined;
  /** Id that is left out of every text. */
  readonly #droppedId: number | undefined;
  /** 1 for each id that the vocabulary does not know. */
  #unknown: Uint8Array | undefined;
  /** Tokens of the last prompt. */
  #lastPrompt = { prompt: '', tokens: 0 };

  private constructor(
    subwords: SubwordTokenizer,
    maxTokens: number,
    { knownOnly = false }: TokenizerOptions,
    bert?: BertFacts,
    native?: WordPieceTokenizer,
  ) {
    this.#subwords = subwords;
    this.#maxTokens = maxTokens;
    this.#prefix = knownOnly ? [] : subwords.prefix;
    this.#suffix = knownOnly ? [] : subwords.suffix;
    this.#droppedId = knownOnly ? subwords.vocabulary.unknownId : undefined;
    this.#bert = bert;
    this.#native = native;
  }

  /**
   * Reads a tokenizer.json.
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async read(path: string, maxTokens: number, options: TokenizerOptions = {}): Promise<TextTokenizer> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the tokenizer "${path}"`, { cause });
    });
    try {
      const unigram = UnigramTokenizer.read(bytes);
      if (unigram !== undefined) return new TextTokenizer(unigram, maxTokens, options);
      const file: TokenizerFile = JSON.parse(bytes.toString('utf8'));
      const bert = readBert(file);
      const native = options.native === false ? undefined : openWordPiece(file);
      const subwords = await openWithLibrary(file, { isCut: bert !== undefined });
      return new TextTokenizer(subwords, maxTokens, options, bert, native);
    } catch (cause) {
      throw new EmbedError('MODEL_INVALID', `"${path}" is not a supported tokenizer`, { cause });
    }
  }

  /** Opens a shared tokenizer in this thread. */
  static openShared(
    shared: SharedTokenizer,
    maxTokens: number,
    options: TokenizerOptions = {},
  ): TextTokenizer {
    const native = new WordPieceTokenizer(shared.tables);
    const tokenizer = new TextTokenizer(
      new SharedWordPiece(shared, native),
      maxTokens,
      options,
      shared.bert,
      native,
    );
    tokenizer.#unknown = shared.unknown;
    return tokenizer;
  }

  /** Whether the native tokenizer is used. */
  get isNative(): boolean {
    return this.#native !== undefined;
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
    if (typeof text !== 'string') {
      const kept = truncate === 'start' ? text.slice(Math.max(0, text.length - room)) : text.slice(0, room);
      return this.#encoded(kept, text.length, text.length - kept.length);
    }
    const { ids, unreadTokens, ignoredTokens } = this.#read(text, room, truncate);
    const kept = truncate === 'start' ? ids.slice(Math.max(0, ids.length - room)) : ids.slice(0, room);
    const ignored = shareOf(ignoredTokens, kept.length, ids.length);
    return this.#encoded(kept, ids.length, ids.length - kept.length + unreadTokens, ignored);
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

  /** Returns the scripts of which the vocabulary has words, sorted. */
  knownScripts(): string[] {
    return knownScripts(this.#subwords.vocabulary);
  }

  /** Returns the number of tokens of the whole text, special tokens included. */
  count(text: string): number {
    return this.frame([]).length + this.idsOf(text).length;
  }

  /** Returns the token ids of the whole text, without special tokens. */
  idsOf(text: string): number[] {
    return this.#knownIdsOf(text).ids;
  }

  /** Returns how many unknown tokens `idsOf` leaves out of a text. */
  countIgnored(text: string): number {
    return this.#droppedId === undefined ? 0 : this.#knownIdsOf(text).ignoredTokens;
  }

  #knownIdsOf(text: string): KnownIds {
    const all = this.#allIdsOf(text);
    const ids = this.#droppedId === undefined ? all : all.filter((id) => id !== this.#droppedId);
    return { ids, ignoredTokens: all.length - ids.length };
  }

  #allIdsOf(text: string): number[] {
    if (BLANK.test(text)) return [];
    if (this.#native !== undefined) return this.#native.idsOf(text);
    return this.#subwords.encode(this.#bert ? matchReference(text, this.#bert) : text).ids;
  }

  /** Returns the ids between the special tokens, as the model receives them. */
  frame(ids: readonly number[]): number[] {
    return [...this.#prefix, ...ids, ...this.#suffix];
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
    const own = this.idsOf(text).map(describe(false));
    return specialTokens
      ? [...this.#prefix.map(describe(true)), ...own, ...this.#suffix.map(describe(true))]
      : own;
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
    const { ids, unreadTokens, ignoredTokens } = this.#read(prompt + text, room, 'end');
    // A prompt may share a token with its text; a text of accents alone has none.
    const contentTokens =
      ids.length > promptTokens ? ids.length - promptTokens : Math.min(1, this.idsOf(text).length);
    const kept = ids.slice(0, room);
    const lostTokens = ids.length - kept.length + unreadTokens;
    if (lostTokens === 0 || truncate !== 'start') {
      const ignored = shareOf(ignoredTokens, kept.length, ids.length);
      return this.#encoded(kept, contentTokens, lostTokens, ignored);
    }
    const end = this.#read(text, Math.max(0, room - promptTokens), 'start');
    const tail = end.ids.slice(Math.max(0, end.ids.length - (room - promptTokens)));
    const lost = end.ids.length - tail.length + end.unreadTokens;
    const ignored = shareOf(end.ignoredTokens, tail.length, end.ids.length);
    return this.#encoded([...ids.slice(0, promptTokens), ...tail], end.ids.length, lost, ignored);
  }

  #encoded(
    ids: readonly number[],
    contentTokens: number,
    lostTokens: number,
    ignoredTokens = 0,
  ): EncodedText {
    const unknownTokens = this.countUnknown(ids) + ignoredTokens;
    return { ids: this.frame(ids), contentTokens, lostTokens, unknownTokens, ignoredTokens };
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
    // How many tokens are dropped is only known of a whole text.
    if (bert === undefined && this.#droppedId !== undefined)
      return { ...this.#knownIdsOf(text), unreadTokens: 0 };
    if (bert === undefined) {
      const isStartCut = truncate === 'start';
      const { ids, readUnits } = isStartCut
        ? this.#subwords.encodeEnd(text, room + 1)
        : this.#subwords.encode(text, room + 1);
      const unreadTokens = estimateTokens(text.length - readUnits, ids.length, readUnits);
      return { ids, unreadTokens, ignoredTokens: 0 };
    }
    const keep = truncate === 'start' ? keepEnd : keepStart;
    let rest = text;
    for (let units = UNITS_PER_TOKEN * this.#maxTokens; ; units *= 4) {
      const piece = keep(rest, units, bert.inner);
      const known = this.#knownIdsOf(piece);
      const read = known.ids.length;
      if (piece.length === rest.length) return { ...known, unreadTokens: 0 };
      if (read >= room) {
        return { ...known, unreadTokens: estimateTokens(rest.length - piece.length, read, piece.length) };
      }
      rest = squeeze(rest);
    }
  }
}

/**
 * Makes a tokenizer for all threads of the process.
 * @param bytes a tokenizer.json
 * @returns undefined for a tokenizer that each thread has to read
 * @throws for a file that is not a tokenizer
 */
export async function makeSharedTokenizer(bytes: Buffer): Promise<SharedTokenizer | undefined> {
  const file: TokenizerFile = JSON.parse(bytes.toString('utf8'));
  const options = wordPieceOptions(file);
  const bert = readBert(file);
  if (options === undefined || bert === undefined) return undefined;
  const tables = wordPieceTables(options);
  const native = new WordPieceTokenizer(tables);
  const { prefix, suffix, vocabulary } = await openWithLibrary(file, { isCut: true });
  const table = unknownTable(vocabulary);
  const unknown = new Uint8Array(new SharedArrayBuffer(table.length));
  unknown.set(table);
  const { unknownId } = options;
  const shared = { tables, unknown, prefix, suffix, bert, unknownId };
  const { tokenOf } = new SharedWordPiece(shared, native).vocabulary;
  // An added token may take the name of another one, whose id the tables then lack.
  return unknown.every((_, id) => tokenOf(id) === vocabulary.tokenOf(id)) ? shared : undefined;
}

/** Returns the part of the ignored tokens that lies among the kept ones. */
function shareOf(ignoredTokens: number, kept: number, read: number): number {
  return kept === read ? ignoredTokens : Math.round((ignoredTokens * kept) / read);
}

function estimateTokens(unreadUnits: number, tokens: number, units: number): number {
  return Math.ceil(unreadUnits * (tokens / Math.max(1, units)));
}

/**
 * Opens a tokenizer with the library, and takes the special tokens from what it puts around a letter.
 * @param isCut whether `cut.ts` cuts long texts
 */
async function openWithLibrary(file: TokenizerFile, { isCut }: { isCut: boolean }): Promise<PartedTokenizer> {
  // Loaded on use: threads that share a tokenizer do not need it.
  const { Tokenizer } = await import('@huggingface/tokenizers');
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
    unknownId: unknownIdOf(file),
    isByteLevel: /"type":"ByteLevel"/.test(JSON.stringify(file.pre_tokenizer)),
  });
}

function readBert(file: TokenizerFile): BertFacts | undefined {
  if (file.normalizer?.type !== 'BertNormalizer' || file.pre_tokenizer?.type !== 'BertPreTokenizer') {
    return undefined;
  }
  return {
    lowercase: file.normalizer.lowercase !== false,
    ideographs: file.normalizer.handle_chinese_chars !== false,
    inner: new Set(file.added_tokens.flatMap(({ content }) => [...content].slice(1))),
  };
}

/** Returns the id of unknown tokens; undefined if the model has none. */
function unknownIdOf({ model, added_tokens }: TokenizerFile): number | undefined {
  // Unigram states the id, WordPiece and BPE the token.
  if (typeof model.unk_id === 'number') return model.unk_id;
  const added = added_tokens.find(({ content }) => content === model.unk_token);
  const vocabulary = model.vocab as Record<string, number> | undefined;
  return added?.id ?? (model.unk_token == null ? undefined : vocabulary?.[model.unk_token]);
}

/** The embedder turns texts into vectors; every inference thread owns one. */

import {
  type RowOutcome,
  type StoredGlossary,
  type TextInput,
  type TextToken,
  type Treatment,
  UNTREATED,
  unknownTokensOf,
} from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import { spanOf, type TextChunk, takeChunks } from '../text/long/chunks.ts';
import { ChunkMean } from '../text/long/mean.ts';
import type { SharedTokenizer } from '../text/shared-tokenizer.ts';
import { TextTokenizer } from '../text/tokenizer.ts';
import type { EmbedTextOptions, PreparedModel } from '../types.ts';
import { type EncodedText, type EncodeOptions, InputEncoder, type LongText } from './input-encoder.ts';
import { type CoreOptions, openRunner, type Runner } from './runner.ts';
import { memoryKey, VectorMemory } from './vector-memory.ts';

type Options = EncodeOptions & Pick<EmbedTextOptions, 'betweenChunks'>;

/** A text of one run, which has no vector yet. */
interface PackedText {
  ids: readonly number[];
  /** Its index among the outcomes. */
  row: number;
}

/** An opened model with its tokenizer. */
export class Embedder {
  readonly model: PreparedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #encoder: InputEncoder;
  readonly #runner: Runner;
  readonly #memory: VectorMemory | undefined;
  /** A text that was encoded and did not fit the last run; usually the next one. */
  #ahead: { text: TextInput; options: Options; encoded: EncodedText } | undefined;
  #closed = false;
  #repeats = 0;

  private constructor(
    model: PreparedModel,
    tokenizer: TextTokenizer,
    runner: Runner,
    memory: VectorMemory | undefined,
  ) {
    this.model = model;
    this.#tokenizer = tokenizer;
    this.#encoder = new InputEncoder(tokenizer, model.maxTokens, model.prompts);
    this.#runner = runner;
    this.#memory = memory;
  }

  /**
   * Opens a prepared model.
   * @param options.memoryBytes maximum bytes of vectors kept for repeated texts. Default 0: none
   * @param options.tokenizer the tokenizer of this model, if the threads of the process share it
   * @throws {EmbedError} if a file of the prepared model is missing or cannot be run
   */
  static async open(
    model: PreparedModel,
    {
      memoryBytes = 0,
      tokenizer: shared,
      ...cores
    }: {
      memoryBytes?: number | undefined;
      tokenizer?: SharedTokenizer | undefined;
    } & CoreOptions = {},
  ): Promise<Embedder> {
    const options = { knownOnly: model.engine === 'static' };
    const tokenizer =
      shared === undefined
        ? await TextTokenizer.read(model.tokenizerPath, model.maxTokens, options)
        : TextTokenizer.openShared(shared, model.maxTokens, options);
    const runner = await openRunner(model, cores);
    const memory = memoryBytes > 0 ? new VectorMemory(model.dim, memoryBytes) : undefined;
    return new Embedder(model, tokenizer, runner, memory);
  }

  /**
   * Embeds one text: equal texts with equal options give equal bytes, whatever was embedded before. Blocks the
   * calling thread while the model runs. A bad text is an outcome, never an exception.
   *
   * @param text a text, or its token ids without `[CLS]` and `[SEP]`, to which no treatment applies; an id
   * outside the vocabulary gives the verdict `failed`
   * @param target receives `model.dim` floats at `offset`: a vector of length 1, or zeros for `empty` and
   * `failed`
   * @throws {EmbedError} `EMBEDDER_CLOSED`, and whatever `betweenChunks` throws
   */
  async embed(
    text: TextInput,
    target: Float32Array,
    offset: number,
    options: EmbedTextOptions = {},
  ): Promise<RowOutcome> {
    const [outcome] = await this.embedPack([text], target, offset, options);
    return outcome!;
  }

  /**
   * Embeds the first of several texts: as many as one run of the model takes, and at least one. Vectors and
   * outcomes are those of `embed`, byte for byte; several short texts in one run are faster.
   *
   * @param texts read only as far as necessary; not empty
   * @param target receives `model.dim` floats per embedded text, from `offset` on
   * @returns the outcomes of the embedded texts, in order
   * @throws {EmbedError} `EMBEDDER_CLOSED`, and whatever `betweenChunks` throws
   */
  async embedPack(
    texts: Iterable<TextInput>,
    target: Float32Array,
    offset: number,
    { truncate = 'end', treatment = UNTREATED, chunkSpans = false, betweenChunks }: EmbedTextOptions = {},
  ): Promise<RowOutcome[]> {
    if (this.#closed) throw new EmbedError('EMBEDDER_CLOSED', 'embed was called after close');
    const { dim } = this.model;
    const options = { truncate, treatment, chunkSpans, betweenChunks };
    const outcomes: RowOutcome[] = [];
    const pack: (PackedText & { contentTokens: number })[] = [];
    let tokens = 0;
    for (const text of texts) {
      const encoded = this.#encode(text, options);
      const row = outcomes.length;
      if (encoded.kind === 'settled') {
        target.fill(0, offset + row * dim, offset + (row + 1) * dim);
        outcomes.push(encoded.outcome);
        continue;
      }
      const isFull = encoded.kind === 'long' || tokens + encoded.ids.length > this.#runner.packTokens;
      if (isFull && row > 0) {
        this.#ahead = { text, options, encoded };
        break;
      }
      if (encoded.kind === 'long') {
        const outcome = await this.#embedLong(encoded.long, target, offset, options);
        return [{ ...outcome, ...encoded.extras }];
      }
      outcomes.push(encoded.outcome);
      pack.push({ ids: encoded.ids, row, contentTokens: encoded.contentTokens });
      tokens += encoded.ids.length;
      if (isFull) break;
    }
    const problems = await this.#runAll(pack, target, offset);
    for (const { row, contentTokens } of pack) {
      const message = problems.get(row);
      if (message !== undefined) outcomes[row] = failed(outcomes[row]!, contentTokens, message);
    }
    return outcomes;
  }

  /** Milliseconds that `embed` has spent on treatment and tokenization since `open`. */
  get tokenizeMs(): number {
    return this.#encoder.elapsedMs;
  }

  /** Number of special tokens around each text and chunk. */
  get specialTokens(): number {
    return this.#tokenizer.frame([]).length;
  }

  /** Texts and chunks whose vectors `embed` found in memory since `open`. */
  get repeats(): number {
    return this.#repeats;
  }

  /**
   * Returns the exact number of tokens of the whole text, `[CLS]` and `[SEP]` included, regardless of the
   * limit.
   */
  countTokens(text: string): number {
    return this.#tokenizer.count(text);
  }

  /** Returns the number of tokens of a text, without special tokens, and how many of them the vocabulary does not know. */
  countPieces(text: string): { tokens: number; unknown: number } {
    const ids = this.#tokenizer.idsOf(text);
    const ignored = this.#tokenizer.countIgnored(text);
    return { tokens: ids.length + ignored, unknown: this.#tokenizer.countUnknown(ids) + ignored };
  }

  /** Returns the treated text that the tokenizer receives, without the prompt. */
  treat(text: string, treatment: Treatment<StoredGlossary>): string {
    return this.#encoder.read(treatment).apply(text).text;
  }

  /** Returns the token ids that the model receives for a text that is truncated at its end. */
  idsOf(text: string, treatment: Treatment<StoredGlossary>): readonly number[] {
    const ready = this.#encoder.read(treatment);
    return this.#tokenizer.encode(ready.apply(text).text, 'end', ready.prompt).ids;
  }

  /** Returns the chunks of a text for `long: 'mean'` and `'plain-mean'`; one for a text within the limit. */
  chunksOf(text: string, treatment: Treatment<StoredGlossary>): TextChunk[] {
    const ready = this.#encoder.read(treatment);
    const { text: treated } = ready.apply(text);
    return Array.from(this.#encoder.split({ treated, ready }), (chunk) => ({
      text: treated.slice(chunk.start, chunk.end),
      ...spanOf(chunk),
    }));
  }

  /** Returns the tokens of the whole text, regardless of the limit. */
  tokenize(text: string, options: { specialTokens: boolean }): TextToken[] {
    return this.#tokenizer.tokens(text, options);
  }

  /** Frees the memory of the model. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#runner.close();
  }

  /** Encodes a text unless it was encoded for the last run. */
  #encode(text: TextInput, options: Options): EncodedText {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const isKnown =
      ahead !== undefined &&
      ahead.text === text &&
      ahead.options.treatment === options.treatment &&
      ahead.options.truncate === options.truncate &&
      ahead.options.chunkSpans === options.chunkSpans;
    return isKnown ? ahead.encoded : this.#encoder.encode(text, options);
  }

  /** Embeds each chunk of a text and writes their mean. */
  async #embedLong(
    long: LongText,
    target: Float32Array,
    offset: number,
    { truncate, betweenChunks, chunkSpans }: Options,
  ): Promise<RowOutcome> {
    const { ready, treated } = long;
    const failedText = (message: string, lostTokens: number): RowOutcome => {
      target.fill(0, offset, offset + this.model.dim);
      return { verdict: 'failed', tokens: 0, lostTokens, message };
    };
    const { chunks, lostTokens } = takeChunks(
      this.#encoder.split(long),
      ready.maxChunks,
      truncate,
      treated.length,
    );
    if (lostTokens > 0 && truncate === 'error') {
      return failedText(`the text has more than ${ready.maxChunks} chunks`, lostTokens);
    }
    const mean = new ChunkMean(this.model.dim);
    const vector = new Float32Array(this.model.dim);
    let [tokens, unknownTokens] = [0, 0];
    for (const [i, { start, end, ids }] of chunks.entries()) {
      if (i > 0) await betweenChunks?.();
      const part = treated.slice(start, end);
      const framed = this.#tokenizer.encodeChunk(part, ids, ready.prompt);
      const ignoredTokens = this.#tokenizer.countIgnored(part);
      const problem = (await this.#runAll([{ ids: framed, row: 0 }], vector, 0)).get(0);
      if (problem !== undefined) return failedText(`chunk ${i + 1} of ${chunks.length}: ${problem}`, tokens);
      mean.add(vector, ready.weightOf(ids.length));
      tokens += framed.length + ignoredTokens;
      unknownTokens += this.#tokenizer.countUnknown(ids) + ignoredTokens;
    }
    if (!mean.writeTo(target, offset)) return failedText('the chunks cancel each other out', tokens);
    const outcome: RowOutcome = {
      verdict: lostTokens > 0 ? 'truncated' : 'ok',
      tokens,
      lostTokens,
      chunks: chunks.length,
      ...(unknownTokens > 0 && unknownTokensOf(treated, unknownTokens)),
    };
    return chunkSpans ? { ...outcome, chunkSpans: chunks.map(spanOf) } : outcome;
  }

  /**
   * Writes the vector of each text at its row; texts whose ids are in memory, or occur twice, are not computed
   * again. Returns an error message per row that failed and has zeros.
   */
  async #runAll(
    texts: readonly PackedText[],
    target: Float32Array,
    offset: number,
  ): Promise<Map<number, string>> {
    const { dim } = this.model;
    const memory = this.#memory;
    const problems = new Map<number, string>();
    /** Rows of each text to compute; without a memory each text has its own. */
    const missing = new Map<string, { ids: readonly number[]; rows: number[] }>();
    for (const { ids, row } of texts) {
      const key = memory === undefined ? String(row) : memoryKey(ids);
      const same = missing.get(key);
      if (same !== undefined) same.rows.push(row);
      else if (!memory?.recall(key, target, offset + row * dim)) missing.set(key, { ids, rows: [row] });
      else this.#repeats += 1;
    }
    const computed = new Float32Array(missing.size * dim);
    const failures = await this.#compute(
      [...missing.values()].map(({ ids }) => ids),
      computed,
    );
    let at = 0;
    for (const [key, { rows: sharing }] of missing) {
      const vector = computed.subarray(at * dim, (at + 1) * dim);
      const problem = failures.get(at);
      for (const row of sharing) {
        target.set(vector, offset + row * dim);
        if (problem !== undefined) problems.set(row, problem);
      }
      this.#repeats += sharing.length - 1;
      if (problem === undefined) memory?.keep(key, computed, at * dim);
      at += 1;
    }
    return problems;
  }

  /** Runs the texts together; if that fails, each one alone. Returns an error message per failed text. */
  async #compute(texts: readonly (readonly number[])[], target: Float32Array): Promise<Map<number, string>> {
    const { dim } = this.model;
    if (texts.length === 0) return new Map();
    try {
      await this.#runner.run(texts, target, 0);
      return new Map();
    } catch (error) {
      if (texts.length === 1) {
        target.fill(0, 0, dim);
        return new Map([[0, `the model failed: ${error instanceof Error ? error.message : error}`]]);
      }
    }
    const problems = new Map<number, string>();
    for (const [i, ids] of texts.entries()) {
      const problem = (await this.#compute([ids], target.subarray(i * dim, (i + 1) * dim))).get(0);
      if (problem !== undefined) problems.set(i, problem);
    }
    return problems;
  }
}

/** The outcome of a text whose run failed: none of its tokens is in a vector. */
function failed({ replacements }: RowOutcome, lostTokens: number, message: string): RowOutcome {
  return { verdict: 'failed', tokens: 0, lostTokens, message, ...(replacements && { replacements }) };
}

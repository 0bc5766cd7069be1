/** The embedder turns one text into one vector; every inference thread owns one. */

import {
  type RowOutcome,
  type StoredGlossary,
  type TextToken,
  type Treatment,
  type Truncate,
  UNTREATED,
} from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import { type Chunk, chunksOf, spanOf, type TextChunk, takeChunks } from '../text/long/chunks.ts';
import { ChunkMean } from '../text/long/mean.ts';
import { TextTokenizer } from '../text/tokenizer.ts';
import { type ReadyTreatment, TreatmentReader } from '../text/treatment/treatment.ts';
import type { EmbedTextOptions, PreparedModel } from '../types.ts';
import { poolInto } from './pooling.ts';
import { ModelSession } from './session.ts';
import { memoryKey, VectorMemory } from './vector-memory.ts';

/** How to embed the chunks of a text. */
interface ChunkOptions extends Pick<EmbedTextOptions, 'betweenChunks' | 'chunkSpans'> {
  truncate: Truncate;
  ready: ReadyTreatment;
  prompt: readonly number[];
  failed: (message: string, lostTokens: number) => RowOutcome;
}

/** An opened model with its tokenizer; embeds one text at a time. */
export class Embedder {
  readonly model: PreparedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #session: ModelSession;
  readonly #treatments = new TreatmentReader();
  /** Treatment of the last text, kept because the rows of a batch share one. */
  #last: { treatment: Treatment<StoredGlossary>; ready: ReadyTreatment; prompt: number[] };
  #closed = false;
  #tokenizeMs = 0;
  readonly #memory: VectorMemory | undefined;
  #repeats = 0;

  private constructor(
    model: PreparedModel,
    tokenizer: TextTokenizer,
    session: ModelSession,
    memory: VectorMemory | undefined,
  ) {
    this.model = model;
    this.#tokenizer = tokenizer;
    this.#session = session;
    this.#memory = memory;
    this.#last = { treatment: UNTREATED, ready: this.#treatments.read(UNTREATED), prompt: [] };
  }

  /**
   * Opens a prepared model.
   * @param options.memoryBytes maximum bytes of vectors kept for repeated texts. Default 0: none
   * @throws {EmbedError} if a file of the prepared model is missing or cannot be run
   */
  static async open(
    model: PreparedModel,
    { memoryBytes = 0 }: { memoryBytes?: number | undefined } = {},
  ): Promise<Embedder> {
    const tokenizer = await TextTokenizer.read(model.tokenizerPath, model.maxTokens);
    const session = await ModelSession.open(model.modelPath, model);
    const memory = memoryBytes > 0 ? new VectorMemory(model.dim, memoryBytes) : undefined;
    return new Embedder(model, tokenizer, session, memory);
  }

  /**
   * Embeds one text alone, at its exact length: equal texts with equal options give equal bytes, whatever was
   * embedded before. Blocks the calling thread while the model runs. A bad text is an outcome, never an
   * exception.
   *
   * @param text a text, or its token ids without `[CLS]` and `[SEP]`, to which no treatment applies; an id
   * outside the vocabulary gives the verdict `failed`
   * @param target receives `model.dim` floats at `offset`: a vector of length 1, or zeros for `empty` and
   * `failed`
   * @throws {EmbedError} `EMBEDDER_CLOSED`, and whatever `betweenChunks` throws
   */
  async embed(
    text: string | readonly number[],
    target: Float32Array,
    offset: number,
    options: EmbedTextOptions = {},
  ): Promise<RowOutcome> {
    if (this.#closed) throw new EmbedError('EMBEDDER_CLOSED', 'embed was called after close');
    // No treatment applies to token ids.
    if (typeof text !== 'string') return await this.#embedTreated(text, target, offset, options, UNTREATED);
    const startedAt = performance.now();
    const treatment = options.treatment ?? UNTREATED;
    const treated = this.#read(treatment).ready.apply(text);
    this.#tokenizeMs += performance.now() - startedAt;
    const outcome = await this.#embedTreated(treated.text, target, offset, options, treatment);
    if (treated.replacements > 0) outcome.replacements = treated.replacements;
    if (outcome.chunkSpans !== undefined && treated.text !== text) outcome.treated = treated.text;
    return outcome;
  }

  async #embedTreated(
    treated: string | readonly number[],
    target: Float32Array,
    offset: number,
    options: EmbedTextOptions,
    treatment: Treatment<StoredGlossary>,
  ): Promise<RowOutcome> {
    const { dim, maxTokens } = this.model;
    const failed = (message: string, lostTokens: number): RowOutcome => {
      target.fill(0, offset, offset + dim);
      return { verdict: 'failed', tokens: 0, lostTokens, message };
    };

    const truncate = options.truncate ?? 'end';
    const unknownId = typeof treated === 'string' ? undefined : this.#tokenizer.describeUnknownId(treated);
    if (unknownId !== undefined) return failed(unknownId, 0);
    const startedAt = performance.now();
    const { ready, prompt } = this.#read(treatment);
    const { ids, contentTokens, lostTokens } = this.#tokenizer.encode(treated, truncate, prompt);
    this.#tokenizeMs += performance.now() - startedAt;
    if (contentTokens === 0) {
      target.fill(0, offset, offset + dim);
      return { verdict: 'empty', tokens: 0, lostTokens: 0 };
    }
    if (this.#tokenizer.roomAfter(prompt) === 0) {
      return failed(`the prompt alone fills the limit of ${maxTokens} tokens of the model`, contentTokens);
    }
    if (typeof treated === 'string' && lostTokens > 0 && ready.isChunked) {
      return await this.#embedInChunks(treated, target, offset, {
        ...options,
        truncate,
        ready,
        prompt,
        failed,
      });
    }
    if (lostTokens > 0 && truncate === 'error') {
      const all = ids.length + lostTokens;
      return failed(`the text has about ${all} tokens, expected at most ${maxTokens}`, all);
    }
    const problem = await this.#run(ids, target, offset);
    if (problem !== null) return failed(problem, contentTokens);
    const outcome: RowOutcome = {
      verdict: lostTokens > 0 ? 'truncated' : 'ok',
      tokens: ids.length,
      lostTokens,
    };
    if (options.chunkSpans && typeof treated === 'string' && lostTokens === 0) {
      outcome.chunkSpans = [{ start: 0, end: treated.length, tokens: contentTokens }];
    }
    return outcome;
  }

  /** Milliseconds that `embed` has spent on treatment and tokenization since `open`. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
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

  /** Returns the treated text that the tokenizer receives, without the prompt. */
  treat(text: string, treatment: Treatment<StoredGlossary>): string {
    return this.#read(treatment).ready.apply(text).text;
  }

  /** Returns the token ids that the model receives for a text that is truncated at its end. */
  idsOf(text: string, treatment: Treatment<StoredGlossary>): readonly number[] {
    const { ready, prompt } = this.#read(treatment);
    return this.#tokenizer.encode(ready.apply(text).text, 'end', prompt).ids;
  }

  /** Returns the chunks of a text for `long: 'mean'` and `'plain-mean'`; one for a text within the limit. */
  chunksOf(text: string, treatment: Treatment<StoredGlossary>): TextChunk[] {
    const { ready, prompt } = this.#read(treatment);
    const { text: treated } = ready.apply(text);
    return Array.from(this.#split(treated, prompt), (chunk) => ({
      text: treated.slice(chunk.start, chunk.end),
      ...spanOf(chunk),
    }));
  }

  /** Returns the tokens of the whole text, regardless of the limit. */
  tokenize(text: string, options: { specialTokens: boolean }): TextToken[] {
    return this.#tokenizer.tokens(text, options);
  }

  /** Frees the memory of the session. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.close();
  }

  /** Embeds each chunk of a text alone and writes their mean. */
  async #embedInChunks(
    treated: string,
    target: Float32Array,
    offset: number,
    options: ChunkOptions,
  ): Promise<RowOutcome> {
    const { ready, prompt, truncate, failed, betweenChunks, chunkSpans } = options;
    const { chunks, lostTokens } = takeChunks(
      this.#split(treated, prompt),
      ready.maxChunks,
      truncate,
      treated.length,
    );
    if (lostTokens > 0 && truncate === 'error') {
      return failed(`the text has more than ${ready.maxChunks} chunks`, lostTokens);
    }
    const mean = new ChunkMean(this.model.dim);
    const vector = new Float32Array(this.model.dim);
    let tokens = 0;
    for (const [i, { ids }] of chunks.entries()) {
      if (i > 0) await betweenChunks?.();
      const framed = this.#tokenizer.frame([...prompt, ...ids]);
      const problem = await this.#run(framed, vector, 0);
      if (problem !== null) return failed(`chunk ${i + 1} of ${chunks.length}: ${problem}`, tokens);
      mean.add(vector, ready.weightOf(ids.length));
      tokens += framed.length;
    }
    if (!mean.writeTo(target, offset)) return failed('the chunks cancel each other out', tokens);
    const outcome: RowOutcome = {
      verdict: lostTokens > 0 ? 'truncated' : 'ok',
      tokens,
      lostTokens,
      chunks: chunks.length,
    };
    return chunkSpans ? { ...outcome, chunkSpans: chunks.map(spanOf) } : outcome;
  }

  /** Runs the model unless the vector of these ids is in memory. Returns an error message, or null. */
  async #run(ids: readonly number[], target: Float32Array, offset: number): Promise<string | null> {
    if (this.#memory === undefined) return await this.#compute(ids, target, offset);
    const key = memoryKey(ids);
    if (this.#memory.recall(key, target, offset)) {
      this.#repeats += 1;
      return null;
    }
    const problem = await this.#compute(ids, target, offset);
    if (problem === null) this.#memory.keep(key, target, offset);
    return problem;
  }

  async #compute(ids: readonly number[], target: Float32Array, offset: number): Promise<string | null> {
    try {
      const { values } = await this.#session.run(ids);
      const { dim, pooling } = this.model;
      return poolInto(target, offset, dim, values, pooling) ? null : 'the model returned no finite vector';
    } catch (error) {
      return `the model failed: ${error instanceof Error ? error.message : error}`;
    }
  }

  #split(treated: string, prompt: readonly number[]): Generator<Chunk> {
    return chunksOf(treated, this.#tokenizer.roomAfter(prompt), (part) => {
      const startedAt = performance.now();
      const ids = this.#tokenizer.idsOf(part);
      this.#tokenizeMs += performance.now() - startedAt;
      return ids;
    });
  }

  #read(treatment: Treatment<StoredGlossary>): { ready: ReadyTreatment; prompt: number[] } {
    if (treatment !== this.#last.treatment) {
      const ready = this.#treatments.read(treatment);
      this.#last = { treatment, ready, prompt: this.#tokenizer.idsOf(ready.prompt) };
    }
    return this.#last;
  }
}

/** The engine: one text in, one vector out. Every inference thread holds one. */

import type { Treatment } from '@embedmill/contract';
import {
  type RowOutcome,
  type StoredGlossary,
  type TextToken,
  type Truncate,
  UNTREATED,
} from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import { type Chunk, chunksOf, spanOf, type TextChunk, takeChunks } from '../text/long/chunks.ts';
import { ChunkMean } from '../text/long/mean.ts';
import { TextTokenizer } from '../text/tokenizer.ts';
import { type ReadyTreatment, TreatmentReader } from '../text/treatment/treatment.ts';
import type { EmbedOptions, PreparedModel } from '../types.ts';
import { poolInto } from './pooling.ts';
import { ModelSession } from './session.ts';
import { memoryKey, VectorMemory } from './vector-memory.ts';

/** What the chunks of a text are embedded with. */
interface ChunkTerms extends Pick<EmbedOptions, 'betweenChunks' | 'chunkSpans'> {
  truncate: Truncate;
  ready: ReadyTreatment;
  prompt: readonly number[];
  failed: (message: string, lostTokens: number) => RowOutcome;
}

export class Embedder {
  readonly model: PreparedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #session: ModelSession;
  readonly #treatments = new TreatmentReader();
  /** The treatment of the last text: rows of a batch share theirs. */
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
   * @param options.memoryBytes bytes of vectors of earlier texts to keep, so that texts that come again are not computed again.
   * Default 0: none
   * @throws EmbedError when a file of the prepared model has gone or cannot be run
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
   * Embeds one text by itself, at its exact length: the same text with the same options gives the same bytes whatever came
   * before. Blocks the calling thread while the model runs.
   *
   * @param text or the ids of its tokens, without `[CLS]` and `[SEP]`, which are not treated; an id that the vocabulary does not
   * have fails it
   * @param target receives `model.dim` floats of a vector of length 1 at `offset`; zeros on `empty` and `failed`
   * @throws EmbedError `EMBEDDER_CLOSED`, and what `betweenChunks` throws; a bad text is an outcome, never an exception
   */
  async embed(
    text: string | readonly number[],
    target: Float32Array,
    offset: number,
    options: EmbedOptions = {},
  ): Promise<RowOutcome> {
    if (this.#closed) throw new EmbedError('EMBEDDER_CLOSED', 'embed was called after close');
    // Token ids are as they are.
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
    options: EmbedOptions,
    treatment: Treatment<StoredGlossary>,
  ): Promise<RowOutcome> {
    const { dim, maxTokens } = this.model;
    const failed = (message: string, lostTokens: number): RowOutcome => {
      target.fill(0, offset, offset + dim);
      return { verdict: 'failed', tokens: 0, lostTokens, message };
    };

    const truncate = options.truncate ?? 'end';
    const stranger = typeof treated === 'string' ? undefined : this.#tokenizer.findStranger(treated);
    if (stranger !== undefined) return failed(stranger, 0);
    const startedAt = performance.now();
    const { ready, prompt } = this.#read(treatment);
    const { ids, contentTokens, lostTokens } = this.#tokenizer.encode(treated, truncate, prompt);
    this.#tokenizeMs += performance.now() - startedAt;
    if (contentTokens === 0) {
      target.fill(0, offset, offset + dim);
      return { verdict: 'empty', tokens: 0, lostTokens: 0 };
    }
    if (this.#tokenizer.roomBehind(prompt) === 0) {
      return failed(`the prompt alone fills the ${maxTokens} tokens that the model reads`, contentTokens);
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
      return failed(`the text has about ${all} tokens, the model reads at most ${maxTokens}`, all);
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

  /** Milliseconds that `embed` has spent on treating and tokenizing since `open`. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
  }

  /** Texts, and chunks of texts, that `embed` has found in its memory since `open`. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Tokens of the whole text, `[CLS]` and `[SEP]` included, whatever the limit; always exact. */
  countTokens(text: string): number {
    return this.#tokenizer.count(text);
  }

  /** The text as it goes into the tokenizer, without the prompt. */
  treat(text: string, treatment: Treatment<StoredGlossary>): string {
    return this.#read(treatment).ready.apply(text).text;
  }

  /** What the model is fed for a text that is cut at its end. */
  idsOf(text: string, treatment: Treatment<StoredGlossary>): readonly number[] {
    const { ready, prompt } = this.#read(treatment);
    return this.#tokenizer.encode(ready.apply(text).text, 'end', prompt).ids;
  }

  /** The chunks that `long: 'mean'` and `'plain-mean'` make of a text under this treatment; one for a text within the limit. */
  chunksOf(text: string, treatment: Treatment<StoredGlossary>): TextChunk[] {
    const { ready, prompt } = this.#read(treatment);
    const { text: treated } = ready.apply(text);
    return Array.from(this.#split(treated, prompt), (chunk) => ({
      text: treated.slice(chunk.start, chunk.end),
      ...spanOf(chunk),
    }));
  }

  /** The tokens of the whole text, whatever the limit. */
  tokenize(text: string, options: { specialTokens: boolean }): TextToken[] {
    return this.#tokenizer.tokens(text, options);
  }

  /** Frees the session's memory; calling it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.close();
  }

  /** The mean of a text's chunks, each embedded by itself. */
  async #embedInChunks(
    treated: string,
    target: Float32Array,
    offset: number,
    terms: ChunkTerms,
  ): Promise<RowOutcome> {
    const { ready, prompt, truncate, failed, betweenChunks, chunkSpans } = terms;
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
      const fed = this.#tokenizer.frame([...prompt, ...ids]);
      const problem = await this.#run(fed, vector, 0);
      if (problem !== null) return failed(`chunk ${i + 1} of ${chunks.length}: ${problem}`, tokens);
      mean.add(vector, ready.weightOf(ids.length));
      tokens += fed.length;
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

  /** Runs the model, unless these ids are known; returns what went wrong, or null. */
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
      return poolInto(target, offset, dim, values, pooling) ? null : 'the model gave no finite vector';
    } catch (error) {
      return `the model failed: ${error instanceof Error ? error.message : error}`;
    }
  }

  #split(treated: string, prompt: readonly number[]): Generator<Chunk> {
    return chunksOf(treated, this.#tokenizer.roomBehind(prompt), (part) => {
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

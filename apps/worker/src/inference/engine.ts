/**
 * The engine port: what an inference thread needs of an engine. `embed-engine.ts` implements it, and so do
 * tests.
 */

import type {
  RowOutcome,
  StoredGlossary,
  TextInput,
  TextToken,
  Treatment,
  Truncate,
} from '@embedmill/contract';

/** How to embed a text. */
export interface EngineOptions {
  truncate: Truncate;
  /** The content of the glossary is in memory that threads share, so that no copy travels with a piece. */
  treatment: Treatment<StoredGlossary>;
  /** Whether the outcome lists the chunks of the text. */
  chunkSpans: boolean;
  /**
   * Awaited between two chunks of a long text, so that other texts can run and the thread does not count as
   * stuck. It throws if the result is no longer needed; the engine must then stop and rethrow.
   */
  betweenChunks: () => Promise<void>;
}

/** How to tokenize a text. */
export interface TokenizeOptions {
  /** Whether the tokens include `[CLS]` and `[SEP]`. */
  specialTokens: boolean;
}

/** Facts of an opened engine that results carry. */
export interface EngineIdentity {
  /** Floats per vector. */
  readonly dim: number;
  /** 16 hexadecimal characters; results carry it, so that vectors of different models are never mixed. */
  readonly fingerprint: string;
}

/** An opened model. */
export interface Engine extends EngineIdentity {
  /** Milliseconds spent in the tokenizer since the engine was opened; absent if not measured. */
  readonly tokenizeMs?: number;
  /** Special tokens around each text and chunk, such as [CLS] and [SEP]; absent if there are none. */
  readonly specialTokens?: number;
  /** Texts and chunks since then whose vectors were in memory; absent if the engine keeps none. */
  readonly repeats?: number;
  /**
   * Writes the vector of a text, or of its token ids, to `target` at `offset`, or zeros if it has none. An
   * exception becomes the verdict `failed` of this text alone.
   */
  embed(
    text: TextInput,
    target: Float32Array,
    offset: number,
    options: EngineOptions,
  ): RowOutcome | Promise<RowOutcome>;
  /**
   * Embeds the first of several texts, as many as are computed together, and at least one: the vectors go to
   * `target` from `offset` on, the outcomes are returned. Vectors and outcomes are those of `embed`. After an
   * exception the caller embeds the first text alone. Absent if each text is computed alone.
   */
  embedPack?(
    texts: Iterable<TextInput>,
    target: Float32Array,
    offset: number,
    options: EngineOptions,
  ): Promise<RowOutcome[]>;
  /** Returns the tokens of the whole text. An exception fails the call. */
  tokenize(text: string, options: TokenizeOptions): TextToken[];
  /** Frees the memory; called once, when the thread stops. */
  close(): void | Promise<void>;
}

/** What an engine may know about the other threads. */
export interface EngineSurroundings {
  /** Returns whether no text waits or is computed except those of this thread. */
  readonly hasIdleCores: () => boolean;
}

/** The exports of a module that can be the `engineUrl` of a pool. */
export interface EngineModule {
  /** @param model what the pool's `prepare` returned: plain data, copied to each thread */
  openEngine(model: unknown, surroundings: EngineSurroundings): Engine | Promise<Engine>;
}

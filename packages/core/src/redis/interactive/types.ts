/** The port to the interactive lane: embeds a few texts at once; called by the producer's routes. */

import type {
  ModelPrompts,
  Precision,
  RowOutcome,
  ScoreBaseline,
  TextInput,
  TextToken,
  Treatment,
  Truncate,
} from '@embedmill/contract';

/** How to embed the texts of a call. */
export interface EmbedCallOptions {
  precision: Precision;
  truncate: Truncate;
  /** Default: none. Token ids are never treated. */
  treatment?: Treatment;
  /** Whether outcomes include the spans of the chunks of their texts. Default false. */
  chunkSpans?: boolean;
  /** Name of the model. Default: the producer's. */
  model?: string;
  /** Deadline in milliseconds from now. Default 30 s. */
  timeoutMs?: number;
  /** Cancels the call; texts that no thread has started are not embedded. */
  signal?: AbortSignal;
}

/** How long one call took, in milliseconds. */
export interface EmbedTimings {
  /** From the call to the answer. */
  totalMs: number;
  /** Until a worker took its slowest part. */
  queueMs: number;
  /** In the worker: waiting for a thread, tokenizing and inference. */
  inferMs: number;
}

/** The answer to one call. */
export interface EmbedAnswer {
  dim: number;
  /** texts × dim, zeros where a text has no vector. */
  vectors: Float32Array;
  /** One per text. */
  outcomes: RowOutcome[];
  fingerprint: string;
  timings: EmbedTimings;
}

/** A model as its workers announce it. */
export interface ModelDescription {
  name: string;
  fingerprint: string;
  dim: number;
  /** Maximum tokens per text, [CLS] and [SEP] included. */
  maxTokens: number;
  /** Put before texts by their input type; absent for workers of older versions, as are the next fields. */
  prompts?: ModelPrompts;
  /** Scripts of which its vocabulary has words. */
  scripts?: readonly string[];
  /** Cosines of unrelated texts; `null` if they were not measured, as for a folder that was not added. */
  baseline?: ScoreBaseline | null;
}

/** Each part of a call is answered by the first free worker. */
export interface InteractiveLane {
  /**
   * Embeds texts; texts that fail have a verdict, and do not fail the call.
   * @throws {RequestError} `unknown-model`
   * @throws {UnavailableError} `overloaded` (facts: `retryAfterSeconds`), `deadline-exceeded`, `no-workers`,
   *   `redis-unavailable`
   * @throws the signal's reason
   */
  embed(texts: readonly TextInput[], options: EmbedCallOptions): Promise<EmbedAnswer>;
  /** Tokens of each text, not truncated. Throws as `embed` does. */
  tokenize(texts: readonly string[], options: { specialTokens: boolean }): Promise<TextToken[][]>;
  /**
   * The default model.
   * @throws {UnavailableError} `no-workers` while no model has been announced, `redis-unavailable`
   */
  model(): Promise<ModelDescription>;
  /** The models that workers have announced, by name; without Redis those that were read last. */
  models(): Promise<ReadonlyMap<string, ModelDescription>>;
}

/** The interactive lane as its callers see it: a few texts in, vectors out, now. The producer's routes call it. */

import type { Precision, RowOutcome, TextInput, TextToken, Treatment, Truncate } from '@embedmill/contract';

/** How texts are to be embedded. */
export interface EmbedTerms {
  precision: Precision;
  truncate: Truncate;
  /** Default: the texts as they are, which token ids always are. */
  treatment?: Treatment;
  /** Whether outcomes say where the chunks of their texts are. Default false. */
  chunkSpans?: boolean;
  /** Name of the model that the caller wants. Default: the producer's. */
  model?: string;
  /** Time until the answer is of no use any more. Default 30 s. */
  timeoutMs?: number;
  /** Ends the waiting; texts that no thread has begun are not embedded. */
  signal?: AbortSignal;
}

/** Where the time of one call went. */
export interface EmbedTimings {
  /** From the call to the answer. */
  totalMs: number;
  /** Until a worker took it. */
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

/** What the workers say of the model they run. */
export interface ModelDescription {
  name: string;
  fingerprint: string;
  dim: number;
  /** Tokens that one vector can hold, [CLS] and [SEP] included. */
  maxTokens: number;
}

/** Answers from whichever worker is free first. */
export interface InteractiveLane {
  /**
   * @throws {RequestError} `unknown-model`
   * @throws {UnavailableError} `overloaded` (facts: `retryAfterSeconds`), `deadline-exceeded`, `no-workers`, `redis-unavailable`
   * @throws the signal's reason
   */
  embed(texts: readonly TextInput[], terms: EmbedTerms): Promise<EmbedAnswer>;
  /** Ids and pieces of each text, untruncated. Errors as `embed`. */
  tokenize(texts: readonly string[], options: { specialTokens: boolean }): Promise<TextToken[][]>;
  /** @throws {UnavailableError} `no-workers` while none has ever said it, `redis-unavailable` */
  model(): Promise<ModelDescription>;
}

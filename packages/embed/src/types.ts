/** The words of this package's interface: what a prepared model is, and what becomes of one text. */

import type { Treatment } from './text/treatment/treatment.ts';

/** Arithmetic of the linear layers: `int8` is about 2.4 times as fast, `fp32` is the reference. */
export type Precision = 'int8' | 'fp32';

/** Which end of a text beyond the token limit is dropped; `error` gives such a text the verdict `failed`. */
export type Truncate = 'end' | 'start' | 'error';

/** How token vectors become one vector. `in-graph`: the model's output is already one vector per text. */
export type Pooling = 'in-graph' | 'mean' | 'cls';

/** Which recorded vectors a model is compared with before it may work. */
export type GoldenSet = 'all-MiniLM-L6-v2' | 'none';

/**
 * A model that is ready to be opened: plain data, so that it can be compiled once on the main thread and sent to
 * every inference thread by structured clone.
 */
export interface PreparedModel {
  /** For people: `all-MiniLM-L6-v2`, or the name of the model's folder. */
  name: string;
  precision: Precision;
  /** 16 hex digits over weights, graph, precision, tokenizer and limits: equal means comparable vectors. */
  fingerprint: string;
  /** Absolute path of the ONNX file. */
  modelPath: string;
  /** Absolute path of the tokenizer.json. */
  tokenizerPath: string;
  /** Floats per vector. */
  dim: number;
  /** Most tokens fed to the model for one text, `[CLS]` and `[SEP]` included. */
  maxTokens: number;
  pooling: Pooling;
  /** How far ONNX Runtime may rewrite the graph: our own graphs lose speed beyond `basic`. */
  optimization: 'basic' | 'all';
  goldenSet: GoldenSet;
  sources: ModelSources;
}

/** Which file said what, for people; no part of the fingerprint. */
export interface ModelSources {
  weights: string;
  pooling: string;
  maxTokens: string;
}

export interface PrepareOptions {
  /** A folder in the hub's layout or the name of an added model; `undefined` is the built-in all-MiniLM-L6-v2. */
  model?: string | undefined;
  precision: Precision;
  /**
   * Where compiled and added models are kept; created if missing, safe to share between processes. Compiled ones
   * are built again after it was deleted, added ones (in `models`) are not.
   */
  cacheDir: string;
}

/** One token of a text. */
export interface TextToken {
  id: number;
  /** As in the vocabulary: `##` in front of a piece that continues a word. */
  text: string;
  /** `[CLS]`, `[SEP]` and their kind. */
  special: boolean;
}

export interface EmbedOptions {
  /** Default `end`. */
  truncate?: Truncate | undefined;
  /** Default: the text as it is. */
  treatment?: Treatment | undefined;
  /**
   * Awaited between two chunks of a long text, which may take minutes: whoever calls may do something else in between,
   * and ends the text by throwing.
   */
  betweenChunks?: (() => void | Promise<void>) | undefined;
  /** Whether the outcome says where the chunks of the text are. Default false. */
  chunkSpans?: boolean | undefined;
}

/** Where a chunk is. */
export interface ChunkSpan {
  /** In UTF-16 units of the treated text; `end` is the first unit behind the chunk. */
  start: number;
  end: number;
  /** Tokens of the chunk itself: without `[CLS]`, `[SEP]` and the prompt. */
  tokens: number;
}

/** What became of one text. */
export interface RowOutcome {
  /**
   * - `ok`: the whole text is in the vector.
   * - `truncated`: the text was longer than the limit, the vector stands for the part that was kept.
   * - `empty`: no token in it (nothing, blanks, control characters); the target holds zeros.
   * - `failed`: no vector, see `message`; the target holds zeros.
   */
  verdict: 'ok' | 'truncated' | 'empty' | 'failed';
  /** Tokens fed to the model, `[CLS]` and `[SEP]` included; 0 when it did not run. */
  tokens: number;
  /**
   * Tokens of the text that are not in the vector. Exact when the text was tokenized whole; for a text that was
   * cut before tokenizing (see `text/cut.ts`) the part that was never tokenized is estimated from the tokens per
   * character of the part that was. `Embedder.countTokens` is always exact.
   */
  lostTokens: number;
  /** Chunks whose mean the vector is; absent when the text went through the model in one piece. */
  chunks?: number;
  /** Terms of the glossary that were replaced in the text; absent: none. */
  replacements?: number;
  /** The chunks in the vector, in order; one when nothing had to be split. Only when asked for, and of a whole text with a vector. */
  chunkSpans?: ChunkSpan[];
  /** The text that `chunkSpans` are of, without the prompt; absent when the treatment left it as it was. */
  treated?: string;
  /** For people; set on `failed`. */
  message?: string;
}

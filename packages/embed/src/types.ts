/** The words of this package's interface: what a prepared model is, and what becomes of one text. */

import type { Precision, StoredGlossary, Treatment, Truncate } from '@embedmill/contract';

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

export interface EmbedOptions {
  /** Default `end`. */
  truncate?: Truncate | undefined;
  /** Default: the text as it is. */
  treatment?: Treatment<StoredGlossary> | undefined;
  /**
   * Awaited between two chunks of a long text, which may take minutes: whoever calls may do something else in between,
   * and ends the text by throwing.
   */
  betweenChunks?: (() => void | Promise<void>) | undefined;
  /** Whether the outcome says where the chunks of the text are. Default false. */
  chunkSpans?: boolean | undefined;
}

/** Types of the public interface: prepared models, and options to prepare and embed. */

import type {
  EngineChoice,
  ModelPrompts,
  Precision,
  StoredGlossary,
  Treatment,
  Truncate,
} from '@embedmill/contract';

/**
 * How token vectors become one vector. `in-graph`: the output of the model is already one vector per text.
 */
export type Pooling = 'in-graph' | 'mean' | 'cls';

/** The recorded vectors that a model is checked against before it is used. */
export type GoldenSet = 'all-MiniLM-L6-v2' | 'none';

/**
 * A model that is ready to open. Plain data, so that it can be compiled once on the main thread and sent to
 * every inference thread by structured clone.
 */
export interface PreparedModel {
  /** Display name: `all-MiniLM-L6-v2`, or the name of the model folder. */
  name: string;
  precision: Precision;
  /** The engine that computes: `exact` with the same bytes on every CPU, or `onnx` for ONNX Runtime. */
  engine: 'exact' | 'onnx';
  /** Kernel of the exact engine; undefined with ONNX Runtime. */
  kernel?: string | undefined;
  /**
   * 16 hexadecimal characters that hash everything that determines the bytes of a vector: engine and its
   * revision, weights, graph, precision, tokenizer and limits; with ONNX Runtime also the vectors that this
   * CPU computes for the golden sentences. Equal means equal vectors for equal texts.
   */
  fingerprint: string;
  /** Absolute path of the ONNX file, or of the weight file of the exact engine. */
  modelPath: string;
  /** Absolute path of the tokenizer.json. */
  tokenizerPath: string;
  /** JavaScript heap that the open tokenizer may need, in MB; an inference thread has it in addition. */
  heapMb: number;
  /** Floats per vector. */
  dim: number;
  /** Maximum tokens per text, `[CLS]` and `[SEP]` included. */
  maxTokens: number;
  pooling: Pooling;
  /** How far ONNX Runtime may rewrite the graph; compiled graphs are slower beyond `basic`. */
  optimization: 'basic' | 'all';
  /** Position of the first token, for models with the input `position_ids`. Default 0; 2 for RoBERTa's family. */
  firstPosition?: number | undefined;
  goldenSet: GoldenSet;
  /** Put before texts according to their input type. */
  prompts: ModelPrompts;
  sources: ModelSources;
}

/** Where each property of the model comes from, for people; not part of the fingerprint. */
export interface ModelSources {
  engine: string;
  weights: string;
  pooling: string;
  maxTokens: string;
  prompts: string;
}

/** Options of `prepareModel`. */
export interface PrepareOptions {
  /** Folder in the layout of the Hugging Face Hub, or name of an added model. Default: all-MiniLM-L6-v2. */
  model?: string | undefined;
  precision: Precision;
  /** Default `auto`. */
  engine?: EngineChoice | undefined;
  /** Kernel of the exact engine. Default `auto`: the fastest on this CPU. */
  kernel?: string | undefined;
  /**
   * Folder of compiled and added models; created if missing, safe to share between processes. If it is
   * deleted, compiled models are built again, added models (in `models`) are lost.
   */
  cacheDir: string;
}

/** Options of `Embedder.embed`. */
export interface EmbedTextOptions {
  /** Which end of a text over the limit to cut, or `error` to fail it. Default `end`. */
  truncate?: Truncate | undefined;
  /** Default: the text is embedded unchanged. */
  treatment?: Treatment<StoredGlossary> | undefined;
  /**
   * Awaited between two chunks of a long text, which may take minutes in total: the caller can do other work
   * in between, or cancel the text by throwing.
   */
  betweenChunks?: (() => void | Promise<void>) | undefined;
  /** Whether the outcome lists the chunks of the text. Default false. */
  chunkSpans?: boolean | undefined;
}

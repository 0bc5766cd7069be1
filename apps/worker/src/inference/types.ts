/** Inputs and outputs of the inference pool. */

import type { Precision, RowOutcome, StoredGlossary, Treatment, Truncate } from '@embedmill/contract';
import type { TokenizeOptions } from './engine.ts';
import type { PieceTimings } from './protocol.ts';

/** A bulk batch and how to embed it. */
export interface EmbedBatchOptions {
  /**
   * `encodeBatchPayload` bytes. The buffer is transferred: the caller's view is empty after `embedBatch` is
   * called.
   */
  payload: Uint8Array<ArrayBuffer>;
  /** Run id, for events. */
  run?: string;
  /** Batch number in the run, for the header of the result. */
  batch: number;
  /** Name of the model, if it is not the first one of the pool. */
  model?: string | undefined;
  precision: Precision;
  truncate: Truncate;
  /** Default: the texts are embedded unchanged. */
  treatment?: Treatment<StoredGlossary> | undefined;
  /** Called for each piece of the batch that a thread has finished; usually there is one. */
  onPiece?: (timings: PieceTimings) => void;
}

/** How to embed interactive texts. */
export interface EmbedTextsOptions {
  /** Name of the model, if it is not the first one of the pool. */
  model?: string | undefined;
  precision: Precision;
  truncate: Truncate;
  /** Default: the texts are embedded unchanged. */
  treatment?: Treatment<StoredGlossary> | undefined;
  /** Whether outcomes list the chunks of their texts. Default false. */
  chunkSpans?: boolean;
  /** Whether one thread computes all texts, so that they share runs of the model. Default false: all threads share them. */
  isOnePiece?: boolean;
  /** Called for each piece of the call that a thread has finished. */
  onPiece?: (timings: PieceTimings) => void;
  /** Cancels the call; texts that no engine has begun are not embedded. */
  signal?: AbortSignal;
}

/** How to tokenize interactive texts. */
export interface TokenizeTextsOptions extends TokenizeOptions {
  /** Name of the model, if it is not the first one of the pool. */
  model?: string | undefined;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/** Vectors and outcomes of interactive texts. */
export interface EmbedTextsResult {
  /** Floats per vector; 0 without texts. */
  dim: number;
  /** 16 hexadecimal characters; empty without texts. */
  fingerprint: string;
  /** texts × dim floats, zeros for a text without a vector. */
  vectors: Float32Array;
  /** Special tokens around each text and chunk. */
  specialTokens: number;
  /** One outcome per text, in order. */
  outcomes: RowOutcome[];
}

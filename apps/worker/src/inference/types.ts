/** What goes into the pool and what comes out of it. */

import type { Precision, RowOutcome, Treatment, Truncate } from '@embedmill/contract';
import type { TokenizeOptions } from './engine.ts';
import type { PieceTimings } from './protocol.ts';

/** A treatment with the content of its glossary. */
export type ThreadTreatment = Omit<Treatment, 'glossary'> & {
  /** The content is in memory that threads share, so that no copy travels with a piece. */
  glossary: { id: string; content: Uint8Array } | null;
};

/** One bulk batch. */
export interface BatchRequest {
  /** `encodeBatchPayload` bytes. Taken over: the caller's view is empty as soon as `embedBatch` was called. */
  payload: Uint8Array<ArrayBuffer>;
  /** Id of its run, for what is told of it. */
  run?: string;
  /** Batch number in its run, for the header of the result. */
  batch: number;
  precision: Precision;
  truncate: Truncate;
  /** Default: the texts as they are. */
  treatment?: ThreadTreatment | undefined;
  /** Told about each piece of the batch that a thread has finished: usually one. */
  onPiece?: (timings: PieceTimings) => void;
}

/** How interactive texts are embedded. */
export interface EmbedTextsOptions {
  precision: Precision;
  truncate: Truncate;
  /** Default: the texts as they are. */
  treatment?: ThreadTreatment | undefined;
  /** Whether outcomes say where the chunks of their texts are. Default false. */
  chunkSpans?: boolean;
  /** Told about each piece of the call that a thread has finished. */
  onPiece?: (timings: PieceTimings) => void;
  /** Gives up waiting; texts that are not in an engine yet are not embedded. */
  signal?: AbortSignal;
}

/** How interactive texts are taken apart. */
export interface TokenizeTextsOptions extends TokenizeOptions {
  /** Gives up waiting. */
  signal?: AbortSignal;
}

/** Interactive texts, embedded. */
export interface EmbeddedTexts {
  /** Floats per vector; 0 without texts. */
  dim: number;
  /** 16 hexadecimal characters; none without texts. */
  fingerprint: string;
  /** texts × dim, zeros where a text has no vector. */
  vectors: Float32Array;
  outcomes: RowOutcome[];
}

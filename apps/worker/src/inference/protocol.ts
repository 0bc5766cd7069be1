/**
 * Messages between `thread-handle.ts` (main thread) and `thread.ts` (inference thread).
 *
 * Each thread has two ports, so that interactive pieces do not queue behind bulk pieces. All answers arrive
 * on the main port, because Node delivers the last messages of that port before it reports the exit of the
 * thread.
 */

import type { MessagePort } from 'node:worker_threads';
import type { Precision, SerializedError, StoredGlossary, Treatment, Truncate } from '@embedmill/contract';
import type { Claim } from './claim.ts';
import type { EngineIdentity, TokenizeOptions } from './engine.ts';

/** Shared memory with one number: the pieces of the pool that are not answered. The pool writes it. */
export type UnansweredPieces = Int32Array<SharedArrayBuffer>;

/** `workerData`, passed when the thread starts. */
export interface ThreadData {
  /** Module that exports `openEngine`. */
  engineUrl: string;
  /** Port for interactive pieces. */
  interactivePort: MessagePort;
  unanswered: UnansweredPieces;
}

/** Main port: opens an engine; sent before the first piece that needs it. */
export interface OpenMessage {
  kind: 'open';
  /** Key of the engine: model and precision. */
  engine: string;
  model: unknown;
}

/** Either port: embeds or tokenizes the rows of a piece. */
export interface PieceMessage {
  kind: 'piece';
  /** Id of this sending; a piece that is sent again has a new one. */
  id: number;
  claim: Claim;
  payload: Uint8Array;
  /** Batch number in the run, for the header of the result. */
  batch: number;
  /** Key of the engine that embeds the rows. */
  engine: string;
  precision: Precision;
  truncate: Truncate;
  treatment: Treatment<StoredGlossary>;
  /** Whether outcomes list the chunks of their texts. */
  chunkSpans: boolean;
  /**
   * Whether each row is computed alone. Set once a thread has died with this piece, so that the row inside the
   * engine at the next death is the cause.
   */
  oneByOne: boolean;
  /** Set if the request wants tokens instead of vectors. */
  tokenize?: TokenizeOptions | undefined;
}

/** Main port: the thread finishes its pieces, closes its engines and exits. */
export interface CloseMessage {
  kind: 'close';
}

/** A message to an inference thread. */
export type MessageToThread = OpenMessage | PieceMessage | CloseMessage;

/** Answer to `open`: the engine is open. */
export interface OpenedMessage extends EngineIdentity {
  kind: 'opened';
  engine: string;
}

/** Answer to `open`: the engine could not be opened, with its own error. */
export interface OpenFailedMessage {
  kind: 'open-failed';
  engine: string;
  error: SerializedError;
}

/** Timings of a piece inside its thread, and how many of its texts were in memory. */
export interface PieceTimings {
  /** Milliseconds since 1970; pieces of the other lane may have run between start and end. */
  startedAtMs: number;
  endedAtMs: number;
  /** Milliseconds of that time spent in the tokenizer; 0 if the engine does not measure it. */
  tokenizeMs: number;
  /** Texts and chunks whose vectors the engine had in memory. */
  repeats: number;
}

/**
 * Answer to `piece`: an encoded batch result, or tokens as `token-work.ts` encodes them; the buffer is
 * transferred.
 */
export interface DoneMessage {
  kind: 'done';
  id: number;
  result: Uint8Array<ArrayBuffer>;
  timings: PieceTimings;
}

/** Answer to `piece`: no row could be embedded (no engine, or an unreadable payload). */
export interface FailedMessage {
  kind: 'failed';
  id: number;
  error: SerializedError;
}

/** A message from an inference thread. */
export type MessageFromThread = OpenedMessage | OpenFailedMessage | DoneMessage | FailedMessage;

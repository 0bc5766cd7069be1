/**
 * The messages between `thread-handle.ts` (main thread) and `thread.ts` (inference thread).
 *
 * Two ports lead to a thread, so that interactive pieces need not queue behind bulk ones; every answer comes back on the
 * thread's main port, the one whose last messages Node delivers before it reports the thread's end.
 */

import type { MessagePort } from 'node:worker_threads';
import type { Precision, SerializedError, Truncate } from '@embedmill/contract';
import type { Claim } from './claim.ts';
import type { TokenizeOptions } from './engine.ts';
import type { ThreadTreatment } from './types.ts';

/** `workerData`: what a thread gets with its first breath. */
export interface ThreadData {
  /** Module that exports `openEngine`. */
  engineUrl: string;
  /** Brings interactive pieces. */
  interactivePort: MessagePort;
}

/** Main port: open the engine of a precision; sent before the first piece that needs it. */
export interface OpenMessage {
  kind: 'open';
  precision: Precision;
  model: unknown;
}

/** Either port: embed these rows, or take them apart. */
export interface PieceMessage {
  kind: 'piece';
  /** Of this sending, not of the piece: a piece that is sent again has another one. */
  id: number;
  claim: Claim;
  payload: Uint8Array;
  /** Batch number in its run, for the header of the result. */
  batch: number;
  precision: Precision;
  truncate: Truncate;
  treatment: ThreadTreatment;
  /** Whether outcomes say where the chunks of their texts are. */
  chunkSpans: boolean;
  /** Set when tokens are wanted and no vectors. */
  tokenize?: TokenizeOptions | undefined;
}

/** Main port: finish what you hold, close the engines, end. */
export interface CloseMessage {
  kind: 'close';
}

export type MessageToThread = OpenMessage | PieceMessage | CloseMessage;

/** What an opened engine says about itself. */
export interface EngineIdentity {
  /** Floats per vector. */
  dim: number;
  /** 16 hexadecimal characters. */
  fingerprint: string;
}

/** Answer to `open`. */
export interface OpenedMessage extends EngineIdentity {
  kind: 'opened';
  precision: Precision;
}

/** Answer to `open`: the engine refused, with its own error. */
export interface OpenFailedMessage {
  kind: 'open-failed';
  precision: Precision;
  error: SerializedError;
}

/** Where the time of a piece went inside its thread, and what was spared. */
export interface PieceTimings {
  /** Milliseconds since 1970; pieces of the other lane may have had their turns in between. */
  startedAtMs: number;
  endedAtMs: number;
  /** Of that time, what the tokenizer took; 0 where the engine does not say. */
  tokenizeMs: number;
  /** Texts and chunks whose vectors the engine knew from before. */
  repeats: number;
}

/** Answer to `piece`: an encoded batch result, or tokens as `token-work.ts` writes them; transferred. */
export interface DoneMessage {
  kind: 'done';
  id: number;
  result: Uint8Array<ArrayBuffer>;
  timings: PieceTimings;
}

/** Answer to `piece`: not one row could be embedded (no engine, no readable payload). */
export interface FailedMessage {
  kind: 'failed';
  id: number;
  error: SerializedError;
}

export type MessageFromThread = OpenedMessage | OpenFailedMessage | DoneMessage | FailedMessage;

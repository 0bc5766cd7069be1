/**
 * Decides what happens to a piece whose thread died; used by the pool.
 *
 * A poison row is a text that crashes whatever embeds it. Three layers isolate such rows, all by one idea:
 * repeat the work on smaller inputs until one row is alone, then give that row the verdict `failed`.
 *
 * 1. Threads (this file): a text ends its inference thread, and the process survives. The pool cuts the
 *    piece.
 * 2. Processes (`bulk/probe.ts`): a text aborts the whole process. The queue delivers the batch to another
 *    worker, which embeds its rows one by one and records the current row in Redis.
 * 3. Interactive calls (`part-exchange.ts` of core): a message is lost with its worker. The producer notices and repeats each
 *    text in a message of its own, and fails a text after its third loss.
 *
 * In this layer a piece that was only queued is sent again as it is. A piece that was being embedded is sent
 * once more to another thread, which computes each row alone, because one death may be chance. At the second
 * death it is cut: at the row that was inside the engine (recorded in its claim), else in the middle. Pieces that result from a cut have
 * one attempt, so each further death cuts again or, for a piece of one row, decides its verdict. Each death
 * makes a piece smaller or ends it: n rows cost at most 2n threads, a single poison row costs three.
 */

import { encodeBatchPayload, encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import type { PieceProgress } from './claim.ts';
import type { EngineIdentity } from './engine.ts';
import type { Piece } from './request.ts';

/** Number of threads that may die with an uncut piece before it is cut. */
export const ATTEMPTS_PER_WHOLE_PIECE = 2;

/** A piece that a dead thread held, with its progress. */
export interface HeldPiece {
  readonly piece: Piece;
  readonly progress: PieceProgress;
}

/** A piece that a dead thread held, and whether it may have caused the death. */
export interface SuspectPiece {
  readonly piece: Piece;
  /** Whether the piece may have caused the death. */
  readonly isSuspect: boolean;
  /** Index in the piece of the row that was inside the engine; undefined if none was. */
  readonly row: number | undefined;
}

/** How to continue with a piece after the death of its thread. */
export type AfterDeath =
  | { readonly kind: 'send'; readonly pieces: readonly Piece[] }
  /** The piece is one row that crashed all its threads: it gets the verdict `failed`. */
  | { readonly kind: 'give-up-row'; readonly piece: Piece; readonly engine: EngineIdentity }
  /**
   * Threads die before their engine is open, so no row is the cause; or the request wants tokens, which have
   * no verdict.
   */
  | { readonly kind: 'give-up-request' };

/**
 * Marks the pieces that may have caused the death of their thread: the one with a row inside the engine.
 * Without such a row (an engine that fails later, out of memory between two rows) all begun pieces are
 * suspects, and all pieces whose engine was not open yet, because opening it may have caused the death.
 */
export function findSuspects(
  held: readonly HeldPiece[],
  hasEngine: (piece: Piece) => boolean,
): SuspectPiece[] {
  const isRowInside = held.some(({ progress }) => progress.row !== undefined);
  return held.map(({ piece, progress: { begun, row } }) => ({
    piece,
    isSuspect: isRowInside ? row !== undefined : begun || !hasEngine(piece),
    row,
  }));
}

/**
 * Decides how to continue with a piece that a dead thread held.
 * @param engine identity of the thread's engine; undefined if it was not open
 */
export function afterDeath(
  { piece, isSuspect, row }: SuspectPiece,
  engine: EngineIdentity | undefined,
): AfterDeath {
  if (!isSuspect) return { kind: 'send', pieces: [piece] };
  if (piece.attempts > 1) return { kind: 'send', pieces: [{ ...piece, attempts: piece.attempts - 1 }] };
  const { tokenize } = piece.request.options;
  if (engine === undefined || tokenize !== undefined) return { kind: 'give-up-request' };
  if (piece.rows === 1) return { kind: 'give-up-row', piece, engine };
  return { kind: 'send', pieces: cut(piece, row) };
}

/** Cuts a piece into the non-empty parts before, at and after `row`, or into halves if the row is unknown. */
function cut(piece: Piece, row: number | undefined): Piece[] {
  const middle = piece.rows >> 1;
  const ends = row === undefined ? [middle, piece.rows] : [row, row + 1, piece.rows];
  const payload = readBatchPayload(piece.payload);
  let start = 0;
  return ends.flatMap((end) => {
    const first = start;
    const texts = Array.from({ length: end - first }, (_, index) => payload.input(first + index));
    start = end;
    return texts.length === 0
      ? []
      : [
          {
            request: piece.request,
            start: piece.start + first,
            rows: texts.length,
            payload: encodeBatchPayload(texts),
            attempts: 1,
          },
        ];
  });
}

/** Encodes the result of a piece of one poison row: verdict `failed`, a vector of zeros, and the reason. */
export function failedRowResult(
  piece: Piece,
  { dim, fingerprint }: EngineIdentity,
  reason: string,
): Uint8Array<ArrayBuffer> {
  const { batch, precision } = piece.request.options;
  const message = `this text crashed every inference thread that embedded it: ${reason}`;
  return encodeBatchResult({
    batch,
    rows: 1,
    dim,
    precision,
    fingerprint,
    vectors: new Float32Array(dim),
    outcomes: [{ verdict: 'failed', tokens: 0, lostTokens: 0, message }],
  });
}

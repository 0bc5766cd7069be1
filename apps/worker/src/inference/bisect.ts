/**
 * What becomes of a piece whose thread died under it; used by the pool.
 *
 * A piece that was only waiting is sent again as it is. A piece that was being embedded loses a life and is tried once more on
 * another thread: one death may be chance. At the second it is cut: at the row that was inside the engine (its claim
 * says which), else in the middle. Cut pieces have one life, so every further death cuts again or, of a piece of one row,
 * is the verdict. Each death makes a piece smaller or ends it: n rows cost at most 2n threads, a single bad row three.
 */

import { encodeBatchPayload, encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import type { Progress } from './claim.ts';
import type { EngineIdentity } from './protocol.ts';
import type { Piece } from './request.ts';

/** Threads that a whole piece may cost before it is cut. */
export const LIVES_OF_A_WHOLE_PIECE = 2;

/** A piece that a dead thread held, and how far it had come. */
export interface HeldPiece {
  readonly piece: Piece;
  readonly progress: Progress;
}

/** The same piece, and what to think of it. */
export interface SuspectPiece {
  readonly piece: Piece;
  /** Whether the thread may have died of it. */
  readonly isSuspect: boolean;
  /** The row that was inside the engine, counted in the piece; undefined when none was. */
  readonly row: number | undefined;
}

/** What to do next. */
export type AfterDeath =
  | { readonly kind: 'send'; readonly pieces: readonly Piece[] }
  /** A row that ended its threads: it gets the verdict `failed`. */
  | { readonly kind: 'give-up-row'; readonly piece: Piece; readonly engine: EngineIdentity }
  /** Threads end before their engine is open, so no row is to blame; or no vectors are wanted, so no row can be set aside. */
  | { readonly kind: 'give-up-request' };

/**
 * Which of the pieces a dead thread held may have killed it: the one with a row inside the engine; without such a row (an
 * engine that fails later, out of memory between two rows) all that were begun, and all whose engine was not open yet: the
 * thread may have died of opening it for them.
 */
export function findSuspects(
  held: readonly HeldPiece[],
  hasEngine: (piece: Piece) => boolean,
): SuspectPiece[] {
  const isCaughtInTheAct = held.some(({ progress }) => progress.row !== undefined);
  return held.map(({ piece, progress: { begun, row } }) => ({
    piece,
    isSuspect: isCaughtInTheAct ? row !== undefined : begun || !hasEngine(piece),
    row,
  }));
}

/**
 * How a piece that a dead thread held goes on.
 * @param engine what the thread's engine said about itself, if it was open.
 */
export function afterDeath(
  { piece, isSuspect, row }: SuspectPiece,
  engine: EngineIdentity | undefined,
): AfterDeath {
  if (!isSuspect) return { kind: 'send', pieces: [piece] };
  if (piece.lives > 1) return { kind: 'send', pieces: [{ ...piece, lives: piece.lives - 1 }] };
  const { tokenize } = piece.request.terms;
  if (engine === undefined || tokenize !== undefined) return { kind: 'give-up-request' };
  if (piece.rows === 1) return { kind: 'give-up-row', piece, engine };
  return { kind: 'send', pieces: cut(piece, row) };
}

/** Rows before, at and after `row`, each with something in it; two halves when the row is not known. */
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
            lives: 1,
          },
        ];
  });
}

/** The result of a piece of one row that no thread survives: no vector, and the reason. */
export function failedRowResult(
  piece: Piece,
  { dim, fingerprint }: EngineIdentity,
  reason: string,
): Uint8Array<ArrayBuffer> {
  const { batch, precision } = piece.request.terms;
  const message = `this text ended every inference thread that tried it: ${reason}`;
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

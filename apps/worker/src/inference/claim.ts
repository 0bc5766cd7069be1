/**
 * Shared memory of one sent piece: its thread records progress in it, and the pool takes the piece back
 * through it.
 *
 * States: `waiting` (sent, not begun) → `begun` (the thread embeds its rows) or `withdrawn` (the pool took it
 * back). `begun` → `withdrawn` only if the answer is no longer needed. `withdrawn` is final. Three cells,
 * read and written with Atomics, because a thread that is embedding a text reads no messages, and a dead
 * thread never will.
 */

/** Cell 0: state; cell 1: index of the row inside the engine, the
 * first of several that are computed together, or -1; cell 2: turns, see `PieceProgress`. */
export type Claim = Int32Array<SharedArrayBuffer>;

/** Progress of a thread with one piece. */
export interface PieceProgress {
  /** Whether the thread has begun the piece. */
  begun: boolean;
  /** Index in the piece of the row inside the engine; undefined if none is. */
  row: number | undefined;
  /** Rows and chunks of long texts embedded so far; the number grows as long as the thread is working. */
  turns: number;
}

const STATE = 0;
const ROW = 1;
const TURNS = 2;
const WAITING = 0;
const BEGUN = 1;
const WITHDRAWN = 2;
const NO_ROW = -1;

/** Returns a claim in state `waiting`; each sending of a piece has its own. */
export function newClaim(): Claim {
  const claim = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  claim[ROW] = NO_ROW;
  return claim;
}

/** Thread: `waiting` → `begun`. Returns false if the pool has taken the piece back. */
export function begin(claim: Claim): boolean {
  return Atomics.compareExchange(claim, STATE, WAITING, BEGUN) === WAITING;
}

/** Thread: records that a row enters the engine. */
export function enterRow(claim: Claim, row: number): void {
  Atomics.store(claim, ROW, row);
}

/** Thread: records that the row is finished and no row of this piece is inside the engine. */
export function leaveRow(claim: Claim): void {
  countTurn(claim);
  Atomics.store(claim, ROW, NO_ROW);
}

/** Thread: records that a row, or one chunk of it, is finished. */
export function countTurn(claim: Claim): void {
  Atomics.add(claim, TURNS, 1);
}

/** Thread: returns true if the rest of the piece is no longer needed. */
export function isWithdrawn(claim: Claim): boolean {
  return Atomics.load(claim, STATE) === WITHDRAWN;
}

/**
 * Pool: `waiting` → `withdrawn`, so that another thread can have the piece. Returns false if this thread has
 * begun it.
 */
export function takeBack(claim: Claim): boolean {
  return Atomics.compareExchange(claim, STATE, WAITING, WITHDRAWN) === WAITING;
}

/** Pool: any state → `withdrawn`. A thread that has begun stops after its current row and sends no answer. */
export function abandon(claim: Claim): void {
  Atomics.store(claim, STATE, WITHDRAWN);
}

/** Pool: returns the progress of the thread. */
export function progressOf(claim: Claim): PieceProgress {
  const row = Atomics.load(claim, ROW);
  return {
    begun: Atomics.load(claim, STATE) === BEGUN,
    row: row === NO_ROW ? undefined : row,
    turns: Atomics.load(claim, TURNS),
  };
}

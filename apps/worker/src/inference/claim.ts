/**
 * The few bytes that both sides of a thread share per piece of work: the thread says how far it is, the pool takes work back.
 *
 * States: `waiting` (sent, not looked at) → `begun` (the thread embeds its rows) or `withdrawn` (the pool took it back).
 * `begun` → `withdrawn` only when nobody wants the answer any more. Never `withdrawn` → anything. Three cells, read and written
 * with Atomics, because a thread in the middle of a text answers no messages, and a dead one none at all.
 */

/** Cell 0: state; cell 1: the row inside the engine now, or -1; cell 2: turns, see `Progress`. */
export type Claim = Int32Array<SharedArrayBuffer>;

/** What a claim says about its thread. */
export interface Progress {
  /** Whether the thread had looked at the piece. */
  begun: boolean;
  /** The row of the piece that was inside the engine, if one was. */
  row: number | undefined;
  /** Rows, and chunks of long texts, that have been embedded; it moves as long as the thread does. */
  turns: number;
}

const STATE = 0;
const ROW = 1;
const TURNS = 2;
const WAITING = 0;
const BEGUN = 1;
const WITHDRAWN = 2;
const NO_ROW = -1;

/** A claim in state `waiting`; one for every time a piece is sent. */
export function newClaim(): Claim {
  const claim = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  claim[ROW] = NO_ROW;
  return claim;
}

/** Thread: `waiting` → `begun`; false when the pool was faster. */
export function begin(claim: Claim): boolean {
  return Atomics.compareExchange(claim, STATE, WAITING, BEGUN) === WAITING;
}

/** Thread: this row enters the engine. */
export function enterRow(claim: Claim, row: number): void {
  Atomics.store(claim, ROW, row);
}

/** Thread: the row is done, no row of this piece is inside the engine. */
export function leaveRow(claim: Claim): void {
  countTurn(claim);
  Atomics.store(claim, ROW, NO_ROW);
}

/** Thread: a part of the row is done. */
export function countTurn(claim: Claim): void {
  Atomics.add(claim, TURNS, 1);
}

/** Thread: whether nobody waits for the rest. */
export function isWithdrawn(claim: Claim): boolean {
  return Atomics.load(claim, STATE) === WITHDRAWN;
}

/** Pool: `waiting` → `withdrawn`, to give the piece to another thread; false when this thread has begun. */
export function takeBack(claim: Claim): boolean {
  return Atomics.compareExchange(claim, STATE, WAITING, WITHDRAWN) === WAITING;
}

/** Pool: whatever state → `withdrawn`; a thread that has begun stops after its current row and answers nothing. */
export function abandon(claim: Claim): void {
  Atomics.store(claim, STATE, WITHDRAWN);
}

/** Pool: how far the thread was. */
export function progressOf(claim: Claim): Progress {
  const row = Atomics.load(claim, ROW);
  return {
    begun: Atomics.load(claim, STATE) === BEGUN,
    row: row === NO_ROW ? undefined : row,
    turns: Atomics.load(claim, TURNS),
  };
}

/** Which thread gets which piece; called by the pool whenever a piece or a place is new. */

import type { Lane } from '@embedmill/contract';
import type { Piece } from './request.ts';

/** What dispatching needs to know of a thread. */
export interface Assignable {
  load(lane: Lane): { pieces: number; rows: number };
  give(piece: Piece): void;
  takeBack(lane: Lane): Piece | undefined;
}

/** Both lanes, the one that goes first in front. */
export const LANES: readonly Lane[] = ['interactive', 'bulk'];

/** One piece at work and one at hand, so that a thread never waits for the main thread between two. */
export const PIECES_PER_LANE = 2;

/** Pieces without a thread, oldest first. */
export type WaitingPieces = Readonly<Record<Lane, Piece[]>>;

/**
 * Hands out waiting pieces as long as threads have room, each to the thread with the least to do; then lets threads without a
 * piece of a lane have what another one only keeps at hand.
 */
export function dispatch(threads: readonly Assignable[], waiting: WaitingPieces): void {
  for (const lane of LANES) {
    const pieces = waiting[lane];
    for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
      // A request that failed while its pieces waited: nobody wants them.
      if (!piece.request.isSettled) {
        const thread = leastLoaded(threads, lane);
        if (thread === undefined) break;
        thread.give(piece);
      }
      pieces.shift();
    }
    spread(threads, lane);
  }
}

/** The thread with room in a lane that will come to a new piece first. */
function leastLoaded(threads: readonly Assignable[], lane: Lane): Assignable | undefined {
  return threads
    .filter((thread) => thread.load(lane).pieces < PIECES_PER_LANE)
    .map((thread) => ({ thread, before: rowsBefore(thread, lane) }))
    .sort((a, b) => a.before - b.before)[0]?.thread;
}

/** Rows that come before a new piece: interactive pieces wait for interactive ones and one bulk text, bulk pieces for all. */
function rowsBefore(thread: Assignable, lane: Lane): number {
  const bulk = thread.load('bulk');
  return thread.load('interactive').rows + (lane === 'bulk' ? bulk.rows : Math.min(1, bulk.pieces));
}

function spread(threads: readonly Assignable[], lane: Lane): void {
  const rich = threads.filter((thread) => thread.load(lane).pieces > 1);
  for (const idle of threads.filter((thread) => thread.load(lane).pieces === 0)) {
    const piece = firstOf(rich, (thread) => thread.takeBack(lane));
    if (piece === undefined) return;
    idle.give(piece);
  }
}

function firstOf<Item, Found>(
  items: readonly Item[],
  find: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

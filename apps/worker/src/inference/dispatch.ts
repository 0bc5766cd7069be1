/** Assigns pieces to threads; the pool calls it whenever a piece arrives or a thread has room. */

import type { Lane } from '@embedmill/contract';
import type { Piece } from './request.ts';

/** A thread as dispatching sees it. */
export interface Assignable {
  /** Returns the pieces and rows of a lane that the thread holds. */
  load(lane: Lane): { pieces: number; rows: number };
  /** Sends a piece to the thread. */
  give(piece: Piece): void;
  /** Takes back a piece that the thread has not begun; undefined if there is none. */
  takeBack(lane: Lane): Piece | undefined;
}

/** The lanes in order of priority. */
export const LANES: readonly Lane[] = ['interactive', 'bulk'];

/**
 * Pieces per thread and lane: one in progress and one queued, so that a thread never waits for the main
 * thread.
 */
export const PIECES_PER_LANE = 2;

/** Unassigned pieces of each lane, oldest first. */
export type WaitingPieces = Readonly<Record<Lane, Piece[]>>;

/**
 * Assigns waiting pieces while threads have room, each to the least loaded thread. Then gives threads without
 * a piece of a lane the queued pieces of other threads.
 */
export function dispatch(threads: readonly Assignable[], waiting: WaitingPieces): void {
  for (const lane of LANES) {
    const pieces = waiting[lane];
    for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
      // Pieces of a request that has already failed are skipped.
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

/** Returns the thread with room in a lane that would reach a new piece first. */
function leastLoaded(threads: readonly Assignable[], lane: Lane): Assignable | undefined {
  return threads
    .filter((thread) => thread.load(lane).pieces < PIECES_PER_LANE)
    .map((thread) => ({ thread, before: rowsBefore(thread, lane) }))
    .sort((a, b) => a.before - b.before)[0]?.thread;
}

/**
 * Rows ahead of a new piece: an interactive piece waits for interactive rows and one bulk text, a bulk piece
 * for all.
 */
function rowsBefore(thread: Assignable, lane: Lane): number {
  const bulk = thread.load('bulk');
  return thread.load('interactive').rows + (lane === 'bulk' ? bulk.rows : Math.min(1, bulk.pieces));
}

/** Moves queued pieces from threads with several pieces of a lane to threads with none. */
function spread(threads: readonly Assignable[], lane: Lane): void {
  const donors = threads.filter((thread) => thread.load(lane).pieces > 1);
  for (const idle of threads.filter((thread) => thread.load(lane).pieces === 0)) {
    const piece = firstFound(donors, (thread) => thread.takeBack(lane));
    if (piece === undefined) return;
    idle.give(piece);
  }
}

function firstFound<Item, Found>(
  items: readonly Item[],
  find: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

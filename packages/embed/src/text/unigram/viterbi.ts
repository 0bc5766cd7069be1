/**
 * Finds the most probable pieces of a word, like `encode_optimized` of the reference, the Rust library
 * `tokenizers`, in time proportional to the length.
 */

import type { PieceTrie } from './piece-trie.ts';

/** Difference between the score of an unknown character and the minimum score of a piece. */
const UNKNOWN_PENALTY = 10;

/** Units between two attempts to stop early. */
const STOP_CHECK_UNITS = 256;

/** Splits words into pieces; it reuses its arrays. */
export class Viterbi {
  readonly #trie: PieceTrie;
  readonly #scores: Float64Array;
  readonly #unknownId: number;
  readonly #unknownScore: number;
  /** For each end of a path: its score, where its last piece starts (-1: no path ends here), and the id. */
  #best = new Float64Array(0);
  #starts = new Int32Array(0);
  #ids = new Int32Array(0);

  constructor(trie: PieceTrie, scores: Float64Array, unknownId: number) {
    this.#trie = trie;
    this.#scores = scores;
    this.#unknownId = unknownId;
    this.#unknownScore = scores.reduce((min, score) => Math.min(min, score), Infinity) - UNKNOWN_PENALTY;
  }

  /**
   * Returns the ids of a word. Consecutive unknown characters are one unknown token.
   *
   * @param isOpen whether the word may continue: only those ids are returned that no continuation changes
   * @param maxIds number of ids after which the rest need not be read
   */
  split(word: string, isOpen: boolean, maxIds: number): number[] {
    const end = this.#fill(word, maxIds);
    const isCut = isOpen || end < word.length;
    return this.#trace(isCut ? this.#commonEnd(end) : end);
  }

  /** Computes the best path to each position; returns the last position. */
  #fill(word: string, maxIds: number): number {
    const size = word.length;
    this.#reserve(size + 1);
    const [best, starts, ids] = [this.#best, this.#starts, this.#ids];
    starts.fill(-1, 0, size + 1);
    best[0] = 0;
    let nextCheck = STOP_CHECK_UNITS;
    for (let from = 0; from < size; ) {
      if (from >= nextCheck) {
        if (this.#trace(this.#commonEnd(from)).length >= maxIds) return from;
        nextCheck = from * 2;
      }
      const here = best[from]!;
      const step = isLeadingSurrogate(word, from) ? 2 : 1;
      let isKnown = false;
      let node = 0;
      for (let at = from; at < size; at++) {
        node = this.#trie.child(node, word.charCodeAt(at));
        if (node < 0) break;
        const id = this.#trie.pieceAt(node);
        if (id < 0) continue;
        const to = at + 1;
        const score = this.#scores[id]! + here;
        if (starts[to]! < 0 || score > best[to]!) {
          best[to] = score;
          starts[to] = from;
          ids[to] = id;
        }
        if (to === from + step) isKnown = true;
      }
      if (!isKnown) {
        const to = from + step;
        const score = this.#unknownScore + here;
        if (starts[to]! < 0 || score > best[to]!) {
          best[to] = score;
          starts[to] = from;
          ids[to] = this.#unknownId;
        }
      }
      from += step;
    }
    return size;
  }

  /**
   * Returns the last position that the best paths to all possible ends share. Every path of a longer word has
   * its last end up to `end` within one piece of `end`.
   */
  #commonEnd(end: number): number {
    let common = end;
    for (let at = end - 1; at > end - this.#trie.maxUnits; at--) {
      // A piece that goes on may be the first one.
      if (at <= 0) return 0;
      if (this.#starts[at]! < 0) continue;
      let other = at;
      while (other !== common) {
        if (other > common) other = this.#starts[other]!;
        else common = this.#starts[common]!;
      }
    }
    return common;
  }

  #trace(end: number): number[] {
    const result: number[] = [];
    for (let at = end; at > 0; at = this.#starts[at]!) {
      const id = this.#ids[at]!;
      if (id !== this.#unknownId || result.at(-1) !== id) result.push(id);
    }
    return result.reverse();
  }

  #reserve(size: number): void {
    if (size <= this.#starts.length) return;
    const room = Math.max(1024, size);
    this.#best = new Float64Array(room);
    this.#starts = new Int32Array(room);
    this.#ids = new Int32Array(room);
  }
}

function isLeadingSurrogate(word: string, at: number): boolean {
  const unit = word.charCodeAt(at);
  const next = word.charCodeAt(at + 1);
  return unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
}

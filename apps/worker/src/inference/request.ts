/** One call of the pool and the pieces it was cut into; the pool makes it, threads' answers settle it. */

import type { Lane, Precision, Truncate } from '@embedmill/contract';
import type { TokenizeOptions } from './engine.ts';
import type { PieceTimings } from './protocol.ts';
import type { ThreadTreatment } from './types.ts';

/** Consecutive rows of a request, sent to one thread at a time. */
export interface Piece {
  readonly request: EmbedRequest;
  /** First row, counted in the request. */
  readonly start: number;
  readonly rows: number;
  /** Kept until the answer is there (threads get a copy), so that a thread that dies takes nothing with it. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** How many more threads this piece may cost before it is cut, or its only row is given up. */
  readonly lives: number;
}

/** What all pieces of a request share. */
export interface RequestTerms {
  readonly lane: Lane;
  /** Id of its run, for what is told of it; absent in the interactive lane. */
  readonly run?: string;
  /** Batch number in its run; 0 in the interactive lane. */
  readonly batch: number;
  readonly rows: number;
  readonly precision: Precision;
  readonly truncate: Truncate;
  readonly treatment: ThreadTreatment;
  /** Whether outcomes say where the chunks of their texts are. */
  readonly chunkSpans: boolean;
  /** Set when tokens are wanted and no vectors. */
  readonly tokenize?: TokenizeOptions;
  /** What a thread needs to open the engine. */
  readonly model: unknown;
  readonly onPiece?: (timings: PieceTimings) => void;
}

/** Collects results until every row has one. */
export class EmbedRequest {
  readonly terms: RequestTerms;
  /** The results in row order; rejects when the request fails. */
  readonly results: Promise<Uint8Array<ArrayBuffer>[]>;
  readonly #parts: { start: number; result: Uint8Array<ArrayBuffer> }[] = [];
  #rowsLeft: number;
  #isSettled = false;
  #resolve!: (results: Uint8Array<ArrayBuffer>[]) => void;
  #reject!: (error: unknown) => void;

  constructor(terms: RequestTerms) {
    this.terms = terms;
    this.#rowsLeft = terms.rows;
    this.results = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Nothing that arrives now changes anything. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Result bytes of one piece. */
  finish(piece: Piece, result: Uint8Array<ArrayBuffer>): void {
    this.#parts.push({ start: piece.start, result });
    this.#rowsLeft -= piece.rows;
    if (this.#rowsLeft > 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#parts.sort((a, b) => a.start - b.start);
    this.#resolve(this.#parts.map(({ result }) => result));
  }

  /** The whole request fails; the first reason stands. */
  fail(error: unknown): void {
    this.#isSettled = true;
    this.#reject(error);
  }
}

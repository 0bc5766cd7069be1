/**
 * One call of the pool and the pieces it was cut into; the pool creates it, the answers of threads settle it.
 */

import type { Lane, Precision, StoredGlossary, Treatment, Truncate } from '@embedmill/contract';
import { deferred } from '@embedmill/core/process';
import type { TokenizeOptions } from './engine.ts';
import type { PieceTimings } from './protocol.ts';

/** Consecutive rows of a request, sent to one thread at a time. */
export interface Piece {
  readonly request: PoolRequest;
  /** Index of the first row in the request. */
  readonly start: number;
  readonly rows: number;
  /** Kept until the answer arrives, so that nothing is lost with a thread; threads get a copy. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Number of threads that may still die with this piece before it is cut, or its only row fails. */
  readonly attempts: number;
}

/** Options that all pieces of a request share. */
export interface PoolRequestOptions {
  readonly lane: Lane;
  /** Run id, for events; absent in the interactive lane. */
  readonly run?: string;
  /** Batch number in the run; 0 in the interactive lane. */
  readonly batch: number;
  readonly rows: number;
  /** Key of the engine: model and precision. */
  readonly engine: string;
  readonly precision: Precision;
  readonly truncate: Truncate;
  readonly treatment: Treatment<StoredGlossary>;
  /** Whether outcomes list the chunks of their texts. */
  readonly chunkSpans: boolean;
  /** Set if the request wants tokens instead of vectors. */
  readonly tokenize?: TokenizeOptions;
  /** Plain data that a thread opens the engine with. */
  readonly model: unknown;
  /** Called for each piece that a thread has finished. */
  readonly onPiece?: (timings: PieceTimings) => void;
}

/** Collects results until every row has one. */
export class PoolRequest {
  readonly options: PoolRequestOptions;
  readonly #results = deferred<Uint8Array<ArrayBuffer>[]>();
  readonly #finished: { start: number; result: Uint8Array<ArrayBuffer> }[] = [];
  #rowsLeft: number;
  #isSettled = false;

  constructor(options: PoolRequestOptions) {
    this.options = options;
    this.#rowsLeft = options.rows;
  }

  /** Encoded results of the pieces in row order; rejects if the request fails. */
  get results(): Promise<Uint8Array<ArrayBuffer>[]> {
    return this.#results.promise;
  }

  /** Whether the request has finished or failed; later answers are ignored. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Records the encoded result of one piece. */
  finish(piece: Piece, result: Uint8Array<ArrayBuffer>): void {
    this.#finished.push({ start: piece.start, result });
    this.#rowsLeft -= piece.rows;
    if (this.#rowsLeft > 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#finished.sort((a, b) => a.start - b.start);
    this.#results.resolve(this.#finished.map(({ result }) => result));
  }

  /** Fails the whole request; only the first error counts. */
  fail(error: unknown): void {
    this.#isSettled = true;
    this.#results.reject(error);
  }
}

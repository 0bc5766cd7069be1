/** One call to the lane and the parts it was cut into; the lane makes it, answers settle it. */

import { type RowOutcome, type TextInput, type TextToken, UnavailableError } from '@embedmill/contract';
import { decodeBatchResult } from '../batch/index.ts';
import type { PartWork } from './job.ts';
import type { PartTimings } from './message.ts';
import { type Slice, slicesOf } from './split-call.ts';
import type { EmbedAnswer } from './types.ts';

/** Consecutive texts of a call that travel together. */
export interface OpenPart {
  readonly id: string;
  readonly call: Call;
  /** First text, counted in the call. */
  readonly start: number;
  readonly texts: readonly TextInput[];
  /** Workers that ended over it. */
  readonly losses: number;
}

/** What all parts of a call share. */
export interface CallTerms {
  readonly texts: readonly TextInput[];
  readonly work: PartWork;
  readonly model: string;
  /** By the clock of Redis, in milliseconds. */
  readonly deadline: number;
}

/** Gathers answers until every text has one. */
export class Call {
  readonly terms: CallTerms;
  /** Resolves when every text has its answer; rejects when the call fails. */
  readonly settled: Promise<void>;
  readonly startedAt = performance.now();
  /** What has not been sent yet, in order. */
  readonly unsent: Slice[];
  /** Parts that wait for an answer. */
  readonly open = new Set<OpenPart>();
  readonly tokens: TextToken[][] = [];
  readonly #outcomes: RowOutcome[] = [];
  readonly #timings: PartTimings = { queueMs: 0, inferMs: 0 };
  #vectors = new Float32Array(0);
  #dim = 0;
  #fingerprint = '';
  #textsLeft: number;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(terms: CallTerms) {
    this.terms = terms;
    this.unsent = slicesOf(terms.texts);
    this.#textsLeft = terms.texts.length;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Takes the vectors of a part in.
   * @throws {CorruptError} `corrupt-result`
   * @throws {UnavailableError} `unavailable` when another worker answered another part with another model
   */
  takeVectors(part: OpenPart, bytes: Uint8Array, timings: PartTimings): void {
    const { dim, fingerprint, vectors, outcomes } = decodeBatchResult(bytes);
    if (this.#fingerprint === '') {
      this.#dim = dim;
      this.#fingerprint = fingerprint;
      this.#vectors = new Float32Array(this.terms.texts.length * dim);
    } else if (this.#fingerprint !== fingerprint) {
      throw new UnavailableError(
        'unavailable',
        `workers answered with different models: ${this.#fingerprint} and ${fingerprint}`,
      );
    }
    this.#vectors.set(vectors, part.start * dim);
    for (const [row, outcome] of outcomes.entries()) this.#outcomes[part.start + row] = outcome;
    // The part that took longest is what the caller waited for.
    this.#timings.queueMs = Math.max(this.#timings.queueMs, timings.queueMs);
    this.#timings.inferMs = Math.max(this.#timings.inferMs, timings.inferMs);
    this.#finish(part);
  }

  /** Gives the texts of a part up: they have no vector. */
  takeFailure(part: OpenPart, message: string): void {
    for (const row of part.texts.keys()) {
      this.#outcomes[part.start + row] = { verdict: 'failed', tokens: 0, lostTokens: 0, message };
    }
    this.#finish(part);
  }

  /** Takes the tokens of a part in. */
  takeTokens(part: OpenPart, tokens: readonly TextToken[][]): void {
    for (const [row, found] of tokens.entries()) this.tokens[part.start + row] = found;
    this.#finish(part);
  }

  /** The whole call fails; the first reason stands. */
  fail(error: unknown): void {
    this.#reject(error);
  }

  /** False when not one text reached a model, so that nobody said how long a vector is. */
  get hasVectors(): boolean {
    return this.#fingerprint !== '';
  }

  /** What the caller gets when everything is there. */
  answer(): EmbedAnswer {
    return {
      dim: this.#dim,
      vectors: this.#vectors,
      outcomes: this.#outcomes,
      fingerprint: this.#fingerprint,
      timings: { totalMs: performance.now() - this.startedAt, ...this.#timings },
    };
  }

  #finish(part: OpenPart): void {
    this.open.delete(part);
    this.#textsLeft -= part.texts.length;
    if (this.#textsLeft === 0) this.#resolve();
  }
}

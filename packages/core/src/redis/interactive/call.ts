/** One call to the lane and the parts it was split into; created by the lane, settled by answers. */

import type { RowOutcome, TextInput, TextToken } from '@embedmill/contract';
import { decodeBatchResult } from '../batch/index.ts';
import type { PartTimings } from './answer-message.ts';
import type { PartWork } from './call-message.ts';
import { type Slice, slicesOf } from './split-call.ts';
import type { EmbedAnswer } from './types.ts';

/** Consecutive texts of a call that are sent together. */
export interface OpenPart {
  readonly id: string;
  readonly call: Call;
  /** 0-based index of its first text in the call. */
  readonly start: number;
  readonly texts: readonly TextInput[];
  /** Workers that crashed while they had it. */
  readonly losses: number;
}

/** What a call asks for; all its parts share it. */
export interface CallRequest {
  readonly texts: readonly TextInput[];
  readonly work: PartWork;
  readonly model: string;
  /** Milliseconds since 1970, according to Redis. */
  readonly deadline: number;
  /** Trace context of the caller (W3C `traceparent`). */
  readonly trace?: string | undefined;
}

/** Collects answers until every text has one. */
export class Call {
  readonly request: CallRequest;
  /** Resolves when every text is answered; rejects when the call fails. */
  readonly settled: Promise<void>;
  readonly startedAt = performance.now();
  /** Texts that have not been sent yet, in order. */
  readonly unsent: Slice[];
  /** Parts that wait for an answer. */
  readonly open = new Set<OpenPart>();
  /** Answer of a `tokenize` call: tokens per text. */
  readonly tokens: TextToken[][] = [];
  readonly #outcomes: RowOutcome[] = [];
  readonly #timings: PartTimings = { queueMs: 0, inferMs: 0 };
  #vectors = new Float32Array(0);
  #dim = 0;
  #fingerprint: string | undefined;
  #treatment: number | undefined;
  #textsLeft: number;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(request: CallRequest) {
    this.request = request;
    this.unsent = slicesOf(request.texts);
    this.#textsLeft = request.texts.length;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Adds the vectors of a part. Returns false, and takes nothing, if another part was answered with another
   * model: the vectors of one call are never mixed.
   * @param bytes `encodeBatchResult` bytes
   * @throws {CorruptError} `corrupt-result`
   */
  takeVectors(part: OpenPart, bytes: Uint8Array, timings: PartTimings): boolean {
    const { dim, fingerprint, treatment, vectors, outcomes } = decodeBatchResult(bytes);
    if (this.#fingerprint === undefined) {
      this.#dim = dim;
      this.#fingerprint = fingerprint;
      this.#treatment = treatment;
      this.#vectors = new Float32Array(this.request.texts.length * dim);
    } else if (this.#fingerprint !== fingerprint || this.#treatment !== treatment) {
      return false;
    }
    this.#vectors.set(vectors, part.start * dim);
    for (const [row, outcome] of outcomes.entries()) this.#outcomes[part.start + row] = outcome;
    // The caller waited for the slowest part.
    this.#timings.queueMs = Math.max(this.#timings.queueMs, timings.queueMs);
    this.#timings.inferMs = Math.max(this.#timings.inferMs, timings.inferMs);
    this.#finish(part);
    return true;
  }

  /** Records that the texts of a part failed. */
  takeFailure(part: OpenPart, message: string): void {
    for (const row of part.texts.keys()) {
      this.#outcomes[part.start + row] = { verdict: 'failed', tokens: 0, lostTokens: 0, message };
    }
    this.#finish(part);
  }

  /** Adds the tokens of a part. */
  takeTokens(part: OpenPart, tokens: readonly TextToken[][]): void {
    for (const [row, found] of tokens.entries()) this.tokens[part.start + row] = found;
    this.#finish(part);
  }

  /** Fails the whole call; later errors are ignored. */
  fail(error: unknown): void {
    this.#reject(error);
  }

  /** Fingerprint of the model of all vectors; undefined before the first answer, and if no text had one. */
  get fingerprint(): string | undefined {
    return this.#fingerprint;
  }

  /** Answer of an `embed` call; valid once `settled` has resolved. */
  answer(): Omit<EmbedAnswer, 'fingerprint'> & { treatment: number | undefined } {
    return {
      dim: this.#dim,
      vectors: this.#vectors,
      outcomes: this.#outcomes,
      treatment: this.#treatment,
      timings: { totalMs: performance.now() - this.startedAt, ...this.#timings },
    };
  }

  #finish(part: OpenPart): void {
    this.open.delete(part);
    this.#textsLeft -= part.texts.length;
    if (this.#textsLeft === 0) this.#resolve();
  }
}

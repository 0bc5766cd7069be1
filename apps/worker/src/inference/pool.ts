/**
 * The inference threads of a worker as one thing that turns texts into vectors; the worker's consumers call it.
 *
 * A request is cut into pieces (`request.ts`), pieces go to threads (`dispatch.ts`), threads are kept alive (`crew.ts`), and pieces
 * that end threads are cut until the guilty row stands alone (`bisect.ts`). Requests wait until `start` has threads for them, and are
 * refused for good from `stop` on, after a failed `start`, and when no thread can be replaced any more.
 */

import {
  asError,
  type Precision,
  quote,
  RequestError,
  type TextInput,
  type TextToken,
  UNTREATED,
  UnavailableError,
} from '@embedmill/contract';
import { encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import { afterDeath, failedRowResult, findSuspects, type HeldPiece } from './bisect.ts';
import { dispatch, LANES, type WaitingPieces } from './dispatch.ts';
import { joinResults } from './join.ts';
import { DEFAULT_POOL_OPTIONS, type FilledPoolOptions, type InferencePoolOptions } from './options.ts';
import { pieceOf, piecesOf } from './pieces.ts';
import { EmbedRequest, type Piece, type RequestTerms } from './request.ts';
import { settledWithin } from './settled-within.ts';
import type { InferenceThread } from './thread-handle.ts';
import { ThreadSupervisor } from './thread-supervisor.ts';
import { decodeTokens } from './token-work.ts';
import type {
  BatchRequest,
  EmbeddedTexts,
  EmbedTextsOptions,
  ThreadTreatment,
  TokenizeTextsOptions,
} from './types.ts';

/** Texts as they are. */
const PLAIN: ThreadTreatment = { ...UNTREATED, glossary: null };

/** Time for running pieces when `stop` is given none. */
const DEFAULT_STOP_DEADLINE_MS = 30_000;

/** Least time for a thread to close its engines, even when running pieces used up the deadline. */
const CLOSE_MS = 1_000;

/** A pool of inference threads. */
export class InferencePool {
  readonly #options: FilledPoolOptions;
  readonly #threads: ThreadSupervisor;
  readonly #models = new Map<Precision, Promise<unknown>>();
  readonly #waiting: WaitingPieces = { interactive: [], bulk: [] };
  /** Why requests are refused; undefined until `stop`, a failed `start`, or the end of the last thread. */
  #refusal: Error | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws {RequestError} `bad-thread-count` */
  constructor(options: InferencePoolOptions) {
    if (!Number.isInteger(options.threads) || options.threads < 1) {
      throw new RequestError(
        'bad-thread-count',
        `a pool has a whole number of threads, at least 1, got ${quote(options.threads)}`,
      );
    }
    this.#options = { ...DEFAULT_POOL_OPTIONS, ...options };
    this.#threads = new ThreadSupervisor({
      options: this.#options,
      firstModel: () => this.#model(this.#options.precision),
      listener: {
        onReady: () => this.#dispatch(),
        onDone: (piece, result, timings) => {
          piece.request.terms.onPiece?.(timings);
          this.#finish(piece, result);
        },
        onFailed: (piece, error) => this.#fail(piece.request, error),
        onDeath: (thread, error, held) => this.#judge(thread, error, held),
        onGaveUp: (error) => this.#giveUp(error),
      },
    });
  }

  /** Places for threads, whether one is alive there or not. */
  get threads(): number {
    return this.#options.threads;
  }

  /** Threads that take work now. */
  get readyThreads(): number {
    return this.#threads.ready.length;
  }

  /** Threads that have work. */
  get busyThreads(): number {
    return this.#threads.ready.filter((thread) => thread.held.length > 0).length;
  }

  /** Bulk pieces (whole batches, unless one had to be cut) that are not their thread's first. */
  get waitingBatches(): number {
    const atHand = this.#threads.ready.map((thread) => Math.max(0, thread.load('bulk').pieces - 1));
    return atHand.reduce((sum, pieces) => sum + pieces, this.#waiting.bulk.length);
  }

  /**
   * Starts all threads and opens the first precision in each.
   * @throws the engine's own error when one cannot be opened; all threads have ended then.
   */
  async start(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal;
    try {
      await this.#threads.start();
    } catch (error) {
      this.#refuse(asError(error));
      throw error;
    }
  }

  /**
   * Embeds a batch; resolves to `encodeBatchResult` bytes in a buffer of their own.
   * A bad text is a verdict, also one that ends threads; rejects only when the whole batch cannot be embedded.
   * @throws {CorruptError} `corrupt-payload`
   * @throws {UnavailableError} `inference-stopped`, `inference-thread-died`: the batch is to be tried elsewhere.
   */
  async embedBatch({ payload, treatment = PLAIN, ...terms }: BatchRequest): Promise<Uint8Array<ArrayBuffer>> {
    const owned = structuredClone(payload, { transfer: [payload.buffer] });
    const { rows } = readBatchPayload(owned);
    const request = await this.#request({ ...terms, treatment, chunkSpans: false, lane: 'bulk', rows });
    this.#enqueue([pieceOf(request, owned)]);
    const results = await request.results;
    const [only] = results;
    return results.length === 1 && only !== undefined ? only : encodeBatchResult(joinResults(results));
  }

  /**
   * Embeds texts ahead of all bulk work: each waits for at most the text that its thread is embedding.
   * @throws {UnavailableError} as `embedBatch`, or the signal's reason.
   */
  async embedTexts(texts: readonly TextInput[], options: EmbedTextsOptions): Promise<EmbeddedTexts> {
    const { precision, truncate, treatment = PLAIN, chunkSpans = false, onPiece, signal } = options;
    signal?.throwIfAborted();
    if (texts.length === 0) return { dim: 0, fingerprint: '', vectors: new Float32Array(0), outcomes: [] };
    const terms = {
      precision,
      truncate,
      treatment,
      chunkSpans,
      ...(onPiece === undefined ? {} : { onPiece }),
    };
    const results = await this.#interactive(texts, terms, signal);
    const { dim, fingerprint, vectors, outcomes } = joinResults(results);
    return { dim, fingerprint, vectors, outcomes };
  }

  /**
   * Takes texts apart, ahead of all bulk work.
   * @throws {UnavailableError} as `embedBatch`, or the signal's reason; the engine's own error
   */
  async tokenizeTexts(
    texts: readonly string[],
    { specialTokens, signal }: TokenizeTextsOptions,
  ): Promise<TextToken[][]> {
    signal?.throwIfAborted();
    if (texts.length === 0) return [];
    const { precision } = this.#options;
    const how = { truncate: 'end', treatment: PLAIN, chunkSpans: false } as const;
    const terms = { precision, ...how, tokenize: { specialTokens } };
    return (await this.#interactive(texts, terms, signal)).flatMap(decodeTokens);
  }

  async #interactive(
    texts: readonly TextInput[],
    terms: Pick<RequestTerms, 'precision' | 'truncate' | 'treatment' | 'chunkSpans' | 'tokenize' | 'onPiece'>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const request = await this.#request({ ...terms, lane: 'interactive', batch: 0, rows: texts.length });
    const onAbort = () => this.#fail(request, signal?.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      if (signal?.aborted) onAbort();
      this.#enqueue(piecesOf(request, texts, this.threads));
      return await request.results;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Finishes the pieces that threads have begun, rejects all others with a retryable error, ends the threads.
   * A second call waits for the first.
   * @param options.deadlineMs time for begun pieces; a second after it they are rejected too. Default 30 s.
   */
  stop({ deadlineMs = DEFAULT_STOP_DEADLINE_MS }: { deadlineMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const stopped = new UnavailableError(
      'inference-stopped',
      'the inference threads of this worker are stopping',
    );
    const startedAt = performance.now();
    this.#refuse(stopped);
    for (const piece of this.#threads.ready.flatMap(takeAllBack)) this.#fail(piece.request, stopped);
    const begun = this.#threads.ready.flatMap(({ held }) => held.map(({ request }) => request.results));
    await settledWithin(begun, deadlineMs);
    await this.#threads.stop(Math.max(CLOSE_MS, deadlineMs - (performance.now() - startedAt)));
  }

  /** A request that may be enqueued: its model is at hand. */
  async #request(terms: Omit<RequestTerms, 'model'>): Promise<EmbedRequest> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const model = await this.#model(terms.precision);
    return new EmbedRequest({ ...terms, model });
  }

  /** The model of a precision, prepared once; a failure is forgotten, so that the next request tries again. */
  #model(precision: Precision): Promise<unknown> {
    const known = this.#models.get(precision);
    if (known !== undefined) return known;
    const model = Promise.resolve().then(() => this.#options.prepare(precision));
    this.#models.set(precision, model);
    model.catch(() => this.#models.delete(precision));
    return model;
  }

  #enqueue(pieces: readonly Piece[], end: 'front' | 'back' = 'back'): void {
    for (const lane of LANES) {
      const own = pieces.filter(({ request }) => request.terms.lane === lane);
      this.#waiting[lane].splice(end === 'front' ? 0 : this.#waiting[lane].length, 0, ...own);
    }
    if (this.#refusal === undefined) this.#dispatch();
    else this.#refuse(this.#refusal);
  }

  #dispatch(): void {
    dispatch(this.#threads.ready, this.#waiting);
  }

  #finish(piece: Piece, result: Uint8Array<ArrayBuffer>): void {
    this.#threads.recordProgress();
    piece.request.finish(piece, result);
    this.#dispatch();
  }

  #fail(request: EmbedRequest, error: unknown): void {
    request.fail(error);
    for (const thread of this.#threads.ready) thread.drop(request);
    this.#dispatch();
  }

  /** Decides about every piece that a dead thread held. */
  #judge(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void {
    const again: Piece[] = [];
    const engineOf = (piece: Piece) => thread.identityOf(piece.request.terms.precision);
    for (const seen of findSuspects(held, (piece) => engineOf(piece) !== undefined)) {
      const { terms } = seen.piece.request;
      const next = afterDeath(seen, engineOf(seen.piece));
      if (next.kind === 'send') again.push(...next.pieces);
      else if (next.kind === 'give-up-request') this.#fail(seen.piece.request, error);
      else {
        const reason = causeOf(error);
        this.#options.onEvent({
          kind: 'row-isolated',
          ...(terms.run === undefined ? {} : { run: terms.run }),
          batch: terms.batch,
          row: next.piece.start,
          reason,
        });
        this.#finish(next.piece, failedRowResult(next.piece, next.engine, reason));
      }
    }
    // Back to the front: these have waited longest.
    this.#enqueue(again, 'front');
  }

  #giveUp(error: Error): void {
    const { threads, onEvent } = this.#options;
    const refusal = new UnavailableError(
      'inference-gave-up',
      `none of ${threads} inference threads can be started: ${error.message}`,
      { cause: error },
    );
    this.#refuse(refusal);
    onEvent({ kind: 'gave-up', error: refusal });
  }

  /** Takes no more requests, and none of those that wait. */
  #refuse(error: Error): void {
    this.#refusal = error;
    for (const lane of LANES) {
      for (const piece of this.#waiting[lane].splice(0)) this.#fail(piece.request, error);
    }
  }
}

/** Every piece that a thread has not begun. */
function takeAllBack(thread: InferenceThread): Piece[] {
  const pieces: Piece[] = [];
  for (const lane of LANES) {
    for (let piece = thread.takeBack(lane); piece; piece = thread.takeBack(lane)) pieces.push(piece);
  }
  return pieces;
}

/** Why a thread died, in its own words. */
function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

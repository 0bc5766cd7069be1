/**
 * A pool of inference threads that turns texts into vectors; the consumers of the worker call it.
 *
 * Requests are cut into pieces (`pieces.ts`), pieces are assigned to threads (`dispatch.ts`), dead threads
 * are replaced (`thread-supervisor.ts`), and pieces that crash threads are cut until the poison row is alone
 * (`bisect.ts`). Requests wait until `start` has threads for them. They are rejected permanently after
 * `stop`, after a failed `start`, and if no thread can be replaced.
 */

import {
  asError,
  type Precision,
  quote,
  RequestError,
  type StoredGlossary,
  type TextInput,
  type TextToken,
  type Treatment,
  UNTREATED,
  UnavailableError,
} from '@embedmill/contract';
import { encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import { settledWithin } from '@embedmill/core/process';
import { afterDeath, failedRowResult, findSuspects, type HeldPiece } from './bisect.ts';
import { dispatch, LANES, type WaitingPieces } from './dispatch.ts';
import { joinResults } from './join.ts';
import { DEFAULT_POOL_OPTIONS, type FilledPoolOptions, type InferencePoolOptions } from './options.ts';
import { pieceOf, piecesOf } from './pieces.ts';
import type { UnansweredPieces } from './protocol.ts';
import { type Piece, PoolRequest, type PoolRequestOptions } from './request.ts';
import type { InferenceThread } from './thread-handle.ts';
import { type EngineToOpen, ThreadSupervisor } from './thread-supervisor.ts';
import { decodeTokens } from './token-work.ts';
import type {
  EmbedBatchOptions,
  EmbedTextsOptions,
  EmbedTextsResult,
  TokenizeTextsOptions,
} from './types.ts';

/** Texts unchanged. */
const PLAIN: Treatment<StoredGlossary> = { ...UNTREATED, glossary: null };

/** Default time for running pieces after `stop`. */
const DEFAULT_STOP_DEADLINE_MS = 30_000;

/** Minimum time for a thread to close its engines, even if running pieces used up the deadline. */
const MIN_CLOSE_MS = 1_000;

/** A pool of inference threads. */
export class InferencePool {
  readonly #options: FilledPoolOptions;
  readonly #threads: ThreadSupervisor;
  /** Prepared models by the key of their engine. */
  readonly #models = new Map<string, Promise<unknown>>();
  /** Names of the models that every thread opens besides the first one. */
  #others: readonly string[] = [];
  readonly #unanswered: UnansweredPieces = new Int32Array(
    new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #waiting: WaitingPieces = { interactive: [], bulk: [] };
  /** Why requests are rejected; undefined until `stop`, a failed `start`, or the death of the last thread. */
  #refusal: Error | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws {RequestError} `bad-thread-count` */
  constructor(options: InferencePoolOptions) {
    if (!Number.isInteger(options.threads) || options.threads < 1) {
      throw new RequestError(
        'bad-thread-count',
        `threads must be a whole number of at least 1, got ${quote(options.threads)}`,
      );
    }
    this.#options = { ...DEFAULT_POOL_OPTIONS, ...options };
    this.#threads = new ThreadSupervisor({
      options: this.#options,
      engines: () => this.#enginesToOpen(),
      unanswered: this.#unanswered,
      listener: {
        onReady: () => this.#dispatch(),
        onDone: (piece, result, timings) => {
          piece.request.options.onPiece?.(timings);
          this.#finish(piece, result);
        },
        onFailed: (piece, error) => this.#fail(piece.request, error),
        onRetired: (thread) => this.#enqueue(takeAllBack(thread), 'front'),
        onDeath: (thread, error, held) => this.#judge(thread, error, held),
        onGaveUp: (error) => this.#giveUp(error),
      },
    });
  }

  /** Configured number of threads, dead ones included. */
  get threads(): number {
    return this.#options.threads;
  }

  /** Threads that accept work now. */
  get readyThreads(): number {
    return this.#threads.ready.length;
  }

  /** Threads that have work. */
  get busyThreads(): number {
    return this.#threads.ready.filter((thread) => thread.pieces > 0).length;
  }

  /** Bulk pieces (whole batches, unless one was cut) that no thread has begun. */
  get waitingBatches(): number {
    const queued = this.#threads.ready.map((thread) => Math.max(0, thread.load('bulk').pieces - 1));
    return queued.reduce((sum, pieces) => sum + pieces, this.#waiting.bulk.length);
  }

  /**
   * Starts all threads and opens the first precision in each.
   * @throws the engine's own error if one cannot be opened; all threads have exited by then
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
   * Sets which models every thread opens besides the first one. Threads are replaced one by one by threads with these
   * models, and a thread takes work until its successor is ready, so requests do not wait. Not to be called again before
   * it has resolved.
   * @throws the engine's own error if a model cannot be opened; the earlier models are then served on
   */
  async serve(others: readonly string[]): Promise<void> {
    const before = this.#others;
    this.#others = [...others];
    try {
      await this.#threads.renew();
    } catch (error) {
      this.#others = before;
      throw error;
    } finally {
      // A model that is served again later is prepared again.
      for (const key of this.#models.keys()) {
        const { model } = readKey(key);
        if (model !== undefined && !this.#others.includes(model)) this.#models.delete(key);
      }
    }
  }

  /**
   * Embeds a batch and resolves with `encodeBatchResult` bytes in a new buffer. A bad text is a verdict, even
   * one that crashes threads; the call rejects only if the whole batch cannot be embedded.
   * @throws {CorruptError} `corrupt-payload`
   * @throws {UnavailableError} `inference-stopped`, `inference-thread-died`: another worker should take the
   * batch
   */
  async embedBatch({
    payload,
    treatment = PLAIN,
    ...options
  }: EmbedBatchOptions): Promise<Uint8Array<ArrayBuffer>> {
    const owned = structuredClone(payload, { transfer: [payload.buffer] });
    const { rows } = readBatchPayload(owned);
    const request = await this.#request({ ...options, treatment, chunkSpans: false, lane: 'bulk', rows });
    this.#enqueue([pieceOf(request, owned)]);
    const results = await request.results;
    const [only] = results;
    return results.length === 1 && only !== undefined ? only : encodeBatchResult(joinResults(results));
  }

  /**
   * Embeds texts before all bulk work: each waits for at most the text that its thread is embedding.
   * @throws {UnavailableError} like `embedBatch`, or the reason of the signal
   */
  async embedTexts(texts: readonly TextInput[], options: EmbedTextsOptions): Promise<EmbedTextsResult> {
    const {
      model,
      precision,
      truncate,
      treatment = PLAIN,
      chunkSpans = false,
      isOnePiece,
      onPiece,
      signal,
    } = options;
    signal?.throwIfAborted();
    if (texts.length === 0)
      return { dim: 0, fingerprint: '', specialTokens: 0, vectors: new Float32Array(0), outcomes: [] };
    const results = await this.#interactive(
      texts,
      { model, precision, truncate, treatment, chunkSpans, ...(onPiece === undefined ? {} : { onPiece }) },
      isOnePiece === true ? 1 : this.threads,
      signal,
    );
    const { dim, fingerprint, vectors, outcomes, specialTokens = 0 } = joinResults(results);
    return { dim, fingerprint, specialTokens, vectors, outcomes };
  }

  /**
   * Tokenizes texts, before all bulk work.
   * @throws {UnavailableError} like `embedBatch`, or the reason of the signal, or the engine's own error
   */
  async tokenizeTexts(
    texts: readonly string[],
    { model, specialTokens, signal }: TokenizeTextsOptions,
  ): Promise<TextToken[][]> {
    signal?.throwIfAborted();
    if (texts.length === 0) return [];
    const { precision } = this.#options;
    const options = { model, precision, truncate: 'end', treatment: PLAIN, chunkSpans: false } as const;
    const results = await this.#interactive(
      texts,
      { ...options, tokenize: { specialTokens } },
      this.threads,
      signal,
    );
    return results.flatMap(decodeTokens);
  }

  async #interactive(
    texts: readonly TextInput[],
    options: Pick<
      PoolRequestOptions,
      'precision' | 'truncate' | 'treatment' | 'chunkSpans' | 'tokenize' | 'onPiece'
    > & { model: string | undefined },
    threads: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const request = await this.#request({ ...options, lane: 'interactive', batch: 0, rows: texts.length });
    const onAbort = () => this.#fail(request, signal?.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      if (signal?.aborted) onAbort();
      this.#enqueue(piecesOf(request, texts, threads));
      return await request.results;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Finishes the pieces that threads have begun, rejects all others with a retryable error and stops the
   * threads. A second call waits for the first.
   * @param options.deadlineMs time for begun pieces; one second later they are rejected too. Default 30 s
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
    for (const piece of this.#threads.alive.flatMap(takeAllBack)) this.#fail(piece.request, stopped);
    const begun = this.#threads.alive.flatMap(({ held }) => held.map(({ request }) => request.results));
    await settledWithin(begun, deadlineMs);
    await this.#threads.stop(Math.max(MIN_CLOSE_MS, deadlineMs - (performance.now() - startedAt)));
  }

  /** Returns a request that can be enqueued, once its model is prepared. */
  async #request({
    model: name,
    ...options
  }: Omit<PoolRequestOptions, 'model' | 'engine'> & { model?: string | undefined }): Promise<PoolRequest> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const engine = keyOf(options.precision, name);
    return new PoolRequest({ ...options, engine, model: await this.#model(engine) });
  }

  /** The engines that a new thread opens, the first model before the others. */
  async #enginesToOpen(): Promise<EngineToOpen[]> {
    const keys = [undefined, ...this.#others].map((name) => keyOf(this.#options.precision, name));
    return await Promise.all(keys.map(async (key) => ({ key, model: await this.#model(key) })));
  }

  /** Prepares the model of an engine once; after a failure the next request tries again. */
  #model(key: string): Promise<unknown> {
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    const { precision, model: name } = readKey(key);
    const model = Promise.resolve().then(() => this.#options.prepare(precision, name));
    this.#models.set(key, model);
    model.catch(() => this.#models.delete(key));
    return model;
  }

  #enqueue(pieces: readonly Piece[], end: 'front' | 'back' = 'back'): void {
    for (const lane of LANES) {
      const own = pieces.filter(({ request }) => request.options.lane === lane);
      this.#waiting[lane].splice(end === 'front' ? 0 : this.#waiting[lane].length, 0, ...own);
    }
    if (this.#refusal === undefined) this.#dispatch();
    else this.#refuse(this.#refusal);
  }

  #dispatch(): void {
    dispatch(this.#threads.ready, this.#waiting);
    // Retired threads still compute.
    const held = this.#threads.alive.reduce((sum, thread) => sum + thread.pieces, 0);
    const { interactive, bulk } = this.#waiting;
    Atomics.store(this.#unanswered, 0, held + interactive.length + bulk.length);
  }

  #finish(piece: Piece, result: Uint8Array<ArrayBuffer>): void {
    this.#threads.recordProgress();
    piece.request.finish(piece, result);
    this.#dispatch();
  }

  #fail(request: PoolRequest, error: unknown): void {
    request.fail(error);
    for (const thread of this.#threads.alive) thread.drop(request);
    this.#dispatch();
  }

  /** Continues with every piece that a dead thread held. */
  #judge(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void {
    const resent: Piece[] = [];
    const engineOf = (piece: Piece) => thread.identityOf(piece.request.options.engine);
    for (const suspect of findSuspects(held, (piece) => engineOf(piece) !== undefined)) {
      const { request } = suspect.piece;
      const next = afterDeath(suspect, engineOf(suspect.piece));
      if (next.kind === 'send') resent.push(...next.pieces);
      else if (next.kind === 'give-up-request') this.#fail(request, error);
      else {
        const reason = causeOf(error);
        this.#options.onEvent({
          kind: 'row-isolated',
          ...(request.options.run === undefined ? {} : { run: request.options.run }),
          batch: request.options.batch,
          row: next.piece.start,
          reason,
        });
        this.#finish(next.piece, failedRowResult(next.piece, next.engine, reason));
      }
    }
    // At the front, because these have waited longest.
    this.#enqueue(resent, 'front');
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

  /** Rejects the waiting requests and all later ones. */
  #refuse(error: Error): void {
    this.#refusal = error;
    for (const lane of LANES) {
      for (const piece of this.#waiting[lane].splice(0)) this.#fail(piece.request, error);
    }
  }
}

/** Takes back every piece that a thread has not begun. */
function takeAllBack(thread: InferenceThread): Piece[] {
  const pieces: Piece[] = [];
  for (const lane of LANES) {
    for (let piece = thread.takeBack(lane); piece; piece = thread.takeBack(lane)) pieces.push(piece);
  }
  return pieces;
}

/** Returns the message of the error that ended a thread, without the pool's own wording around it. */
function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Key of the engine of a model, or of the first one, in a precision. */
function keyOf(precision: Precision, model: string | undefined): string {
  return model === undefined ? precision : `${precision} ${model}`;
}

function readKey(key: string): { precision: Precision; model: string | undefined } {
  const [precision, ...model] = key.split(' ');
  return { precision: precision as Precision, model: model.length === 0 ? undefined : model.join(' ') };
}

/**
 * Handle of one inference thread on the main thread; created by `thread-supervisor.ts`, given work by
 * `dispatch.ts`.
 *
 * Life: `open` → any number of `give` → `close`. It ends earlier if the thread exits, throws, runs out of
 * heap or is stuck. `onDeath` is called once, with the pieces that the thread held; after it the handle
 * reports nothing.
 *
 * Decision: docs/decisions/0020.
 */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { asError, type Lane, UnavailableError } from '@embedmill/contract';
import { type Deferred, deferred } from '@embedmill/core/process';
import { ATTEMPTS_PER_WHOLE_PIECE, type HeldPiece } from './bisect.ts';
import { abandon, type Claim, newClaim, progressOf, takeBack } from './claim.ts';
import type { EngineIdentity } from './engine.ts';
import type {
  MessageFromThread,
  MessageToThread,
  PieceTimings,
  ThreadData,
  UnansweredPieces,
} from './protocol.ts';
import type { Piece, PoolRequest } from './request.ts';
import { StuckWatch } from './stuck-watch.ts';
import { reviveError } from './thread-errors.ts';

/** Receives the events of a thread. */
export interface ThreadListener {
  /** A piece is finished, and this thread has room for another. */
  onDone(piece: Piece, result: Uint8Array<ArrayBuffer>, timings: PieceTimings): void;
  /** The thread could embed no row of a piece. */
  onFailed(piece: Piece, error: Error): void;
  /** The thread died while it held these pieces. */
  onDeath(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void;
}

/** Options of one thread. */
export interface ThreadOptions {
  /** Index of the thread in the pool; a replacement has the same one. */
  place: number;
  engineUrl: URL;
  /** Maximum JS heap in MB. */
  maxHeapMb: number;
  /** Time after which a thread that finishes no text counts as stuck. */
  stuckAfterMs: number;
  /** Time for a stopping thread to exit before it is terminated. */
  terminateAfterMs: number;
  unanswered: UnansweredPieces;
  listener: ThreadListener;
}

/**
 * Size of V8's young generation: it holds the strings of a few texts and would never fill the default of 48
 * MB.
 */
const YOUNG_GENERATION_MB = 16;

/** One inference thread, as the pool sees it. */
export class InferenceThread {
  readonly place: number;
  /** Resolves when the thread has exited; for a stuck thread this is later than `onDeath`. */
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #interactivePort: MessagePort;
  readonly #listener: ThreadListener;
  readonly #terminateAfterMs: number;
  readonly #watch: StuckWatch;
  readonly #openings = new Map<string, Deferred<EngineIdentity>>();
  readonly #identities = new Map<string, EngineIdentity>();
  /** Unanswered pieces by id, oldest first. */
  readonly #held = new Map<number, { piece: Piece; claim: Claim }>();
  #lastId = 0;
  #state: 'alive' | 'closing' | 'dead' = 'alive';
  #causeOfDeath: Error | undefined;

  constructor(options: ThreadOptions) {
    const { place, engineUrl, maxHeapMb, stuckAfterMs, terminateAfterMs, unanswered, listener } = options;
    this.place = place;
    this.#listener = listener;
    this.#watch = new StuckWatch({
      stuckAfterMs,
      progress: () => this.#turns(),
      onStuck: () => this.#giveUp(new Error(`the thread finished no text for ${stuckAfterMs} ms`)),
    });
    this.#terminateAfterMs = terminateAfterMs;
    const { port1, port2 } = new MessageChannel();
    this.#interactivePort = port1;
    const workerData: ThreadData = { engineUrl: engineUrl.href, interactivePort: port2, unanswered };
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), {
      name: `inference-${place}`,
      workerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: MessageFromThread) => this.#receive(message));
    // 'error' precedes 'exit', and answers in transit are still delivered between the two.
    this.#worker.on('error', (error) => {
      this.#causeOfDeath = error;
    });
    this.#worker.on('messageerror', (error) => this.#giveUp(error));
    const exit = deferred();
    this.exited = exit.promise;
    this.#worker.on('exit', (code) => {
      this.#interactivePort.close();
      this.#die(this.#causeOfDeath ?? new Error(`the thread exited with code ${code}`));
      exit.resolve();
    });
  }

  /**
   * Opens an engine once per key. Rejects with the engine's own error, or if the thread dies first.
   * @param engine key of the engine
   */
  open(engine: string, model: unknown): Promise<EngineIdentity> {
    const known = this.#openings.get(engine);
    if (known !== undefined) return known.promise;
    const opening = deferred<EngineIdentity>();
    this.#openings.set(engine, opening);
    try {
      this.#send({ kind: 'open', engine, model });
    } catch (error) {
      // The model is not plain data.
      this.#openings.delete(engine);
      opening.reject(asError(error));
    }
    return opening.promise;
  }

  /** Identity of the engine with a key; undefined until it is open. */
  identityOf(engine: string): EngineIdentity | undefined {
    return this.#identities.get(engine);
  }

  /** Returns the pieces and rows of a lane that this thread holds. */
  load(lane: Lane): { pieces: number; rows: number } {
    const load = { pieces: 0, rows: 0 };
    for (const { piece } of this.#held.values()) {
      if (piece.request.options.lane !== lane) continue;
      load.pieces += 1;
      load.rows += piece.rows;
    }
    return load;
  }

  /** Number of pieces that this thread holds. */
  get pieces(): number {
    return this.#held.size;
  }

  /** Pieces that this thread holds, oldest first. */
  get held(): readonly Piece[] {
    return Array.from(this.#held.values(), ({ piece }) => piece);
  }

  /** Sends a piece, preceded by the message that opens its engine if it is not open. */
  give(piece: Piece): void {
    const { lane, batch, engine, precision, truncate, treatment, chunkSpans, tokenize, model } =
      piece.request.options;
    // The answer to the piece reports a failure.
    this.open(engine, model).catch(() => {});
    this.#lastId += 1;
    const id = this.#lastId;
    const claim = newClaim();
    this.#held.set(id, { piece, claim });
    const { payload } = piece;
    const oneByOne = piece.attempts < ATTEMPTS_PER_WHOLE_PIECE;
    const options = { batch, engine, precision, truncate, treatment, chunkSpans, oneByOne, tokenize };
    this.#send({ kind: 'piece', id, claim, payload, ...options }, lane);
    this.#watch.start();
  }

  /** Takes back the newest piece of a lane that the thread has not begun; undefined if there is none. */
  takeBack(lane: Lane): Piece | undefined {
    for (const [id, { piece, claim }] of [...this.#held].reverse()) {
      if (piece.request.options.lane !== lane || !takeBack(claim)) continue;
      this.#release(id);
      return piece;
    }
    return undefined;
  }

  /** Drops the pieces of a settled request; a row inside the engine still runs to its end. */
  drop(request: PoolRequest): void {
    for (const [id, { piece, claim }] of this.#held) {
      if (piece.request !== request) continue;
      abandon(claim);
      this.#release(id);
    }
  }

  /**
   * Lets the thread finish its pieces, close its engines and exit. At the deadline `onDeath` is called with
   * the pieces that it still holds. Resolves when the thread has exited.
   */
  async close(deadlineMs: number): Promise<void> {
    if (this.#state === 'alive') {
      this.#state = 'closing';
      this.#send({ kind: 'close' });
    }
    const timer = setTimeout(
      () => this.#giveUp(new Error(`the thread did not exit within ${deadlineMs} ms`)),
      deadlineMs,
    );
    await this.exited;
    clearTimeout(timer);
  }

  #send(message: MessageToThread, lane: Lane = 'bulk'): void {
    if (lane === 'interactive') this.#interactivePort.postMessage(message);
    else this.#worker.postMessage(message);
  }

  #receive(message: MessageFromThread): void {
    if (message.kind === 'opened') {
      const { dim, fingerprint } = message;
      this.#identities.set(message.engine, { dim, fingerprint });
      this.#openings.get(message.engine)?.resolve({ dim, fingerprint });
      return;
    }
    if (message.kind === 'open-failed') {
      const opening = this.#openings.get(message.engine);
      this.#openings.delete(message.engine);
      opening?.reject(reviveError(message.error));
      return;
    }
    const held = this.#held.get(message.id);
    // The piece was dropped while its last row was inside the engine.
    if (held === undefined) return;
    this.#release(message.id);
    if (message.kind === 'done') this.#listener.onDone(held.piece, message.result, message.timings);
    else this.#listener.onFailed(held.piece, reviveError(message.error));
  }

  /** Removes a piece; once no piece is left, no answer is expected. */
  #release(id: number): void {
    this.#held.delete(id);
    if (this.#held.size === 0) this.#watch.stop();
  }

  /**
   * Texts and chunks finished in the held pieces; the number changes as long as the thread makes progress.
   */
  #turns(): number {
    let turns = 0;
    for (const { claim } of this.#held.values()) turns += progressOf(claim).turns;
    return turns;
  }

  /**
   * Treats the thread as dead from now on and asks it to exit. It may finish its current text, because
   * terminating a thread inside ONNX Runtime aborts the process (its exception has no thread left to handle
   * it). A thread that does not exit in time is terminated.
   */
  #giveUp(error: Error): void {
    const held = this.#takeAll();
    if (this.#state === 'alive') this.#send({ kind: 'close' });
    const timer = setTimeout(() => this.#worker.terminate(), this.#terminateAfterMs);
    void this.exited.then(() => clearTimeout(timer));
    this.#die(error, held);
  }

  /** Takes back all pieces; later answers are ignored. */
  #takeAll(): HeldPiece[] {
    const held = Array.from(this.#held.values(), ({ piece, claim }) => {
      const progress = progressOf(claim);
      abandon(claim);
      return { piece, progress };
    });
    this.#held.clear();
    return held;
  }

  #die(error: Error, held = this.#takeAll()): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#watch.stop();
    const death = new UnavailableError(
      'inference-thread-died',
      `inference thread ${this.place} died: ${error.message}`,
      { cause: error },
    );
    for (const [engine, opening] of this.#openings) {
      if (!this.#identities.has(engine)) opening.reject(death);
    }
    this.#listener.onDeath(this, death, held);
  }
}

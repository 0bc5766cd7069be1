/**
 * The main thread's side of one inference thread; made by `crew.ts`, given work by `dispatch.ts`.
 *
 * Life: `open` → any number of `give` → `close`. It ends earlier when the thread exits, throws, runs out of heap or is stuck;
 * then `onDeath` says once what it held. After its end it reports nothing more.
 */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { asError, type Lane, type Precision, UnavailableError } from '@embedmill/contract';
import type { HeldPiece } from './bisect.ts';
import { abandon, type Claim, newClaim, progressOf, takeBack } from './claim.ts';
import type {
  EngineIdentity,
  MessageFromThread,
  MessageToThread,
  PieceTimings,
  ThreadData,
} from './protocol.ts';
import type { EmbedRequest, Piece } from './request.ts';
import { reviveError } from './revive-error.ts';
import { StuckWatch } from './stuck-watch.ts';

/** Where a thread's news go. */
export interface ThreadListener {
  /** A piece is done, and this thread has room. */
  onDone(piece: Piece, result: Uint8Array<ArrayBuffer>, timings: PieceTimings): void;
  /** The thread could do nothing at all with a piece. */
  onFailed(piece: Piece, error: Error): void;
  /** The thread is no more. */
  onDeath(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void;
}

/** Options of one thread. */
export interface ThreadOptions {
  /** Number of its place in the pool, 0-based; a replacement has the same. */
  place: number;
  engineUrl: URL;
  /** JS heap in MB. */
  maxHeapMb: number;
  /** Time in which a thread that holds work must finish a text. */
  stuckAfterMs: number;
  /** Time for a thread that must go to end by itself. */
  terminateAfterMs: number;
  listener: ThreadListener;
}

/** The young generation holds the strings of a few texts; V8's default of 48 MB per thread would never be filled. */
const YOUNG_GENERATION_MB = 16;

interface Opening {
  readonly opened: Promise<EngineIdentity>;
  resolve(identity: EngineIdentity): void;
  reject(error: Error): void;
}

/** One inference thread as the pool sees it. */
export class InferenceThread {
  readonly place: number;
  /** Resolves when the thread is gone; later than `onDeath` for one that had to be given up. */
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #interactivePort: MessagePort;
  readonly #listener: ThreadListener;
  readonly #terminateAfterMs: number;
  readonly #watch: StuckWatch;
  readonly #openings = new Map<Precision, Opening>();
  readonly #identities = new Map<Precision, EngineIdentity>();
  /** Pieces sent and not answered, by id, oldest first. */
  readonly #held = new Map<number, { piece: Piece; claim: Claim }>();
  #lastId = 0;
  #state: 'alive' | 'closing' | 'dead' = 'alive';
  #causeOfDeath: Error | undefined;

  constructor({ place, engineUrl, maxHeapMb, stuckAfterMs, terminateAfterMs, listener }: ThreadOptions) {
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
    const workerData: ThreadData = { engineUrl: engineUrl.href, interactivePort: port2 };
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), {
      name: `inference-${place}`,
      workerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: MessageFromThread) => this.#receive(message));
    // 'error' comes before 'exit', but answers that were on their way are still delivered in between.
    this.#worker.on('error', (error) => {
      this.#causeOfDeath = error;
    });
    this.#worker.on('messageerror', (error) => this.#giveUp(error));
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#interactivePort.close();
        this.#die(this.#causeOfDeath ?? new Error(`the thread exited with code ${code}`));
        resolve();
      });
    });
  }

  /** Opens an engine, or joins the opening under way. Rejects with the engine's own error, or when the thread dies first. */
  open(precision: Precision, model: unknown): Promise<EngineIdentity> {
    const known = this.#openings.get(precision);
    if (known !== undefined) return known.opened;
    const opening = newOpening();
    this.#openings.set(precision, opening);
    try {
      this.#send({ kind: 'open', precision, model });
    } catch (error) {
      // The model is no plain data.
      this.#openings.delete(precision);
      opening.reject(asError(error));
    }
    return opening.opened;
  }

  /** What the engine of a precision said about itself; undefined while it is not open. */
  identityOf(precision: Precision): EngineIdentity | undefined {
    return this.#identities.get(precision);
  }

  /** Pieces and rows of a lane that this thread holds. */
  load(lane: Lane): { pieces: number; rows: number } {
    const load = { pieces: 0, rows: 0 };
    for (const { piece } of this.#held.values()) {
      if (piece.request.terms.lane !== lane) continue;
      load.pieces += 1;
      load.rows += piece.rows;
    }
    return load;
  }

  /** Everything this thread holds, oldest first. */
  get held(): readonly Piece[] {
    return Array.from(this.#held.values(), ({ piece }) => piece);
  }

  /** Sends a piece, and first the order to open its engine if need be. */
  give(piece: Piece): void {
    const { lane, batch, precision, truncate, treatment, chunkSpans, tokenize, model } = piece.request.terms;
    // A failure comes back as the answer to the piece.
    this.open(precision, model).catch(() => {});
    this.#lastId += 1;
    const id = this.#lastId;
    const claim = newClaim();
    this.#held.set(id, { piece, claim });
    const { payload } = piece;
    const terms = { batch, precision, truncate, treatment, chunkSpans, tokenize };
    this.#send({ kind: 'piece', id, claim, payload, ...terms }, lane);
    this.#watch.start();
  }

  /** Takes the youngest piece of a lane back, unless the thread has begun it. */
  takeBack(lane: Lane): Piece | undefined {
    for (const [id, { piece, claim }] of [...this.#held].reverse()) {
      if (piece.request.terms.lane !== lane || !takeBack(claim)) continue;
      this.#release(id);
      return piece;
    }
    return undefined;
  }

  /** Forgets the pieces of a request that nobody waits for; a row inside the engine still runs to its end. */
  drop(request: EmbedRequest): void {
    for (const [id, { piece, claim }] of this.#held) {
      if (piece.request !== request) continue;
      abandon(claim);
      this.#release(id);
    }
  }

  /**
   * Lets the thread finish what it holds, close its engines and end. At the deadline it is given up: what it still holds comes to
   * `onDeath`. Resolves when it is gone.
   */
  async close(deadlineMs: number): Promise<void> {
    if (this.#state === 'alive') {
      this.#state = 'closing';
      this.#send({ kind: 'close' });
    }
    const timer = setTimeout(
      () => this.#giveUp(new Error(`the thread did not end in ${deadlineMs} ms`)),
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
      this.#identities.set(message.precision, { dim, fingerprint });
      this.#openings.get(message.precision)?.resolve({ dim, fingerprint });
      return;
    }
    if (message.kind === 'open-failed') {
      const opening = this.#openings.get(message.precision);
      this.#openings.delete(message.precision);
      opening?.reject(reviveError(message.error));
      return;
    }
    const held = this.#held.get(message.id);
    // Dropped while its last row was inside the engine: nobody waits for this answer.
    if (held === undefined) return;
    this.#release(message.id);
    if (message.kind === 'done') this.#listener.onDone(held.piece, message.result, message.timings);
    else this.#listener.onFailed(held.piece, reviveError(message.error));
  }

  /** Holds a piece no more; without any, no answer is expected. */
  #release(id: number): void {
    this.#held.delete(id);
    if (this.#held.size === 0) this.#watch.stop();
  }

  /** Texts and chunks finished of what is held; it moves as long as the thread does. */
  #turns(): number {
    let turns = 0;
    for (const { claim } of this.#held.values()) turns += progressOf(claim).turns;
    return turns;
  }

  /**
   * Treats the thread as dead now and lets it leave: it may finish its current text, because terminating a thread inside
   * ONNX Runtime aborts the process (an exception that no thread is left to take). Only one that does not leave is terminated.
   */
  #giveUp(error: Error): void {
    const held = this.#takeAll();
    if (this.#state === 'alive') this.#send({ kind: 'close' });
    const timer = setTimeout(() => this.#worker.terminate(), this.#terminateAfterMs);
    void this.exited.then(() => clearTimeout(timer));
    this.#die(error, held);
  }

  /** Empties the thread's hands: nothing it still does counts. */
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
    for (const [precision, opening] of this.#openings) {
      if (!this.#identities.has(precision)) opening.reject(death);
    }
    this.#listener.onDeath(this, death, held);
  }
}

function newOpening(): Opening {
  let settle!: Omit<Opening, 'opened'>;
  const opened = new Promise<EngineIdentity>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { opened, ...settle };
}

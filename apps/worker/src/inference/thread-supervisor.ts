/**
 * Keeps the configured number of inference threads alive: starts them, replaces dead ones, stops them all.
 *
 * Each place holds one thread and is `starting` (engine not open yet), `ready`, or `pausing` (its thread
 * died; the next one starts after a delay that doubles with each death until a piece is finished). A thread
 * that dies while `starting` is a failed start. During `start` it fails the whole pool with the engine's own
 * error. Later its place pauses again, and after `maxFailedStarts` consecutive failures with no ready thread
 * the supervisor gives up permanently. After `stop` no thread is replaced.
 */

import type { HeldPiece } from './bisect.ts';
import type { FilledPoolOptions } from './options.ts';
import type { UnansweredPieces } from './protocol.ts';
import { InferenceThread, type ThreadListener } from './thread-handle.ts';

/** Time for a thread that could not open its engine to exit. */
const FAILED_START_CLOSE_MS = 5_000;

/** Receives the events of a thread supervisor. */
export interface SupervisorListener extends Omit<ThreadListener, 'onDeath'> {
  /** A new thread accepts work. */
  onReady(): void;
  /** A ready thread died with these pieces and is being replaced. */
  onDeath: ThreadListener['onDeath'];
  /** No thread is alive, and none will be started. */
  onGaveUp(error: Error): void;
}

/** Dependencies of `ThreadSupervisor`. */
export interface ThreadSupervisorDeps {
  options: FilledPoolOptions;
  /** Returns the model that each thread opens first. */
  firstModel: () => Promise<unknown>;
  unanswered: UnansweredPieces;
  listener: SupervisorListener;
}

/** The threads of one pool. */
export class ThreadSupervisor {
  readonly #options: FilledPoolOptions;
  readonly #firstModel: () => Promise<unknown>;
  readonly #unanswered: UnansweredPieces;
  readonly #listener: SupervisorListener;
  readonly #ready = new Set<InferenceThread>();
  readonly #starting = new Set<Promise<void>>();
  /** Exits of threads that count as dead and are still running. */
  readonly #exiting = new Set<Promise<void>>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #deathsInARow = 0;
  #failedStarts = 0;
  #isStopping = false;

  constructor({ options, firstModel, unanswered, listener }: ThreadSupervisorDeps) {
    this.#options = options;
    this.#firstModel = firstModel;
    this.#unanswered = unanswered;
    this.#listener = listener;
  }

  /** Threads that accept work, in the order in which they became ready. */
  get ready(): readonly InferenceThread[] {
    return [...this.#ready];
  }

  /** Starts a thread in every place. Rejects with the first failure after all threads have exited. */
  async start(): Promise<void> {
    const places = Array.from({ length: this.#options.threads }, (_, place) => this.#fill(place));
    const failure = (await Promise.allSettled(places)).find(({ status }) => status === 'rejected');
    if (failure === undefined) return;
    await this.stop(FAILED_START_CLOSE_MS);
    throw (failure as PromiseRejectedResult).reason;
  }

  /** Resets the failure counters; called when a piece is finished. */
  recordProgress(): void {
    this.#deathsInARow = 0;
    this.#failedStarts = 0;
  }

  /**
   * Stops all threads. Those still working at the deadline may finish their current text. Resolves when all
   * have exited.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#endPauses();
    await Promise.allSettled(this.#starting);
    await Promise.all(this.ready.map((thread) => thread.close(deadlineMs)));
    await Promise.all(this.#exiting);
  }

  /** Starts a thread in a place and waits until its engine is open. */
  async #fill(place: number): Promise<void> {
    const { precision, engineUrl, maxHeapMb, stuckAfterMs, terminateAfterMs, onEvent } = this.#options;
    const model = await this.#firstModel();
    if (this.#isStopping) return;
    const startedAt = performance.now();
    const thread = new InferenceThread({
      place,
      engineUrl,
      maxHeapMb: maxHeapMb + heapMbOf(model),
      stuckAfterMs,
      terminateAfterMs,
      unanswered: this.#unanswered,
      listener: {
        onDone: this.#listener.onDone,
        onFailed: this.#listener.onFailed,
        onDeath: (...death) => this.#replace(...death),
      },
    });
    const opening = thread.open(precision, model).then(
      async () => {
        if (this.#isStopping) await thread.close(FAILED_START_CLOSE_MS);
        else this.#ready.add(thread);
      },
      async (error) => {
        await thread.close(FAILED_START_CLOSE_MS);
        throw error;
      },
    );
    this.#starting.add(opening);
    await opening.finally(() => this.#starting.delete(opening));
    if (!this.#ready.has(thread)) return;
    onEvent({ kind: 'thread-ready', thread: place, openMs: performance.now() - startedAt });
    this.#listener.onReady();
  }

  #replace(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void {
    // A thread that was not ready rejects its opening instead; one that exits after `stop` is expected to.
    if (!this.#ready.delete(thread)) return;
    this.#exiting.add(thread.exited);
    void thread.exited.then(() => this.#exiting.delete(thread.exited));
    if (held.length > 0 || !this.#isStopping) {
      this.#options.onEvent({ kind: 'thread-died', thread: thread.place, error });
    }
    this.#pauseAndFill(thread.place);
    this.#listener.onDeath(thread, error, held);
  }

  #pauseAndFill(place: number): void {
    if (this.#isStopping) return;
    const { restartDelayMs, maxRestartDelayMs } = this.#options;
    const delayMs = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** this.#deathsInARow);
    this.#deathsInARow += 1;
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#fill(place).catch((error) => this.#failedStart(place, error));
    }, delayMs);
    this.#pauses.add(pause);
  }

  #failedStart(place: number, error: Error): void {
    if (this.#isStopping) return;
    this.#failedStarts += 1;
    this.#options.onEvent({ kind: 'thread-refused', thread: place, error });
    if (this.#failedStarts < this.#options.maxFailedStarts || this.#ready.size > 0) {
      this.#pauseAndFill(place);
      return;
    }
    this.#endPauses();
    this.#listener.onGaveUp(error);
  }

  /** Cancels all pending replacements and prevents new ones. */
  #endPauses(): void {
    this.#isStopping = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
  }
}

/** Heap that a model states to need in addition, in MB. */
function heapMbOf(model: unknown): number {
  const { heapMb } = Object(model) as { heapMb?: unknown };
  return typeof heapMb === 'number' ? heapMb : 0;
}

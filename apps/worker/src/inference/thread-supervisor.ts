/**
 * Keeps the configured number of inference threads alive: starts them, replaces dead ones, stops them all.
 *
 * Each place holds one thread and is `starting` (engine not open yet), `ready`, or `pausing` (its thread
 * died; the next one starts after a delay that doubles with each death until a piece is finished). A thread
 * that dies while `starting` is a failed start. During `start` it fails the whole pool with the engine's own
 * error. Later its place pauses again, and after `maxFailedStarts` consecutive failures with no ready thread
 * the supervisor gives up permanently. After `stop` no thread is replaced.
 *
 * `renew` replaces threads whose engines are no longer those that threads should open: each place gets a second thread, and
 * once that is ready the first one is retired: it takes no more work, finishes what it has and exits.
 */

import type { HeldPiece } from './bisect.ts';
import type { FilledPoolOptions } from './options.ts';
import type { UnansweredPieces } from './protocol.ts';
import { InferenceThread, type ThreadListener } from './thread-handle.ts';

/** Time for a thread that could not open its engine to exit. */
const FAILED_START_CLOSE_MS = 5_000;

/** Maximum time for a retired thread to finish its pieces; a thread that is stuck ends earlier. */
const RETIRE_MS = 10 * 60_000;

/** An engine that a thread opens before it takes work. */
export interface EngineToOpen {
  key: string;
  model: unknown;
}

/** Receives the events of a thread supervisor. */
export interface SupervisorListener extends Omit<ThreadListener, 'onDeath'> {
  /** A new thread accepts work. */
  onReady(): void;
  /** A thread takes no more work; the pieces that it has not begun are for others. */
  onRetired(thread: InferenceThread): void;
  /** A ready or retired thread died with these pieces; the former is being replaced. */
  onDeath: ThreadListener['onDeath'];
  /** No thread is alive, and none will be started. */
  onGaveUp(error: Error): void;
}

/** Dependencies of `ThreadSupervisor`. */
export interface ThreadSupervisorDeps {
  options: FilledPoolOptions;
  /** Returns the engines that a new thread opens. */
  engines: () => Promise<readonly EngineToOpen[]>;
  unanswered: UnansweredPieces;
  listener: SupervisorListener;
}

/** The threads of one pool. */
export class ThreadSupervisor {
  readonly #options: FilledPoolOptions;
  readonly #engines: ThreadSupervisorDeps['engines'];
  readonly #unanswered: UnansweredPieces;
  readonly #listener: SupervisorListener;
  readonly #ready = new Set<InferenceThread>();
  /** Threads that finish their last pieces. */
  readonly #retired = new Set<InferenceThread>();
  readonly #starting = new Set<Promise<void>>();
  /** Exits of threads that count as dead and are still running. */
  readonly #exiting = new Set<Promise<void>>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #deathsInARow = 0;
  #failedStarts = 0;
  #isStopping = false;

  constructor({ options, engines, unanswered, listener }: ThreadSupervisorDeps) {
    this.#options = options;
    this.#engines = engines;
    this.#unanswered = unanswered;
    this.#listener = listener;
  }

  /** Threads that accept work, in the order in which they became ready. */
  get ready(): readonly InferenceThread[] {
    return [...this.#ready];
  }

  /** Threads that have or may get work. */
  get alive(): readonly InferenceThread[] {
    return [...this.#ready, ...this.#retired];
  }

  /** Starts a thread in every place. Rejects with the first failure after all threads have exited. */
  async start(): Promise<void> {
    const places = Array.from({ length: this.#options.threads }, (_, place) => this.#fill(place));
    const failure = (await Promise.allSettled(places)).find(({ status }) => status === 'rejected');
    if (failure === undefined) return;
    await this.stop(FAILED_START_CLOSE_MS);
    throw (failure as PromiseRejectedResult).reason;
  }

  /**
   * Replaces every thread that was ready before by one with the present engines, one after the other.
   * @throws the engine's own error if one cannot be opened; the threads that are not replaced by then stay
   */
  async renew(): Promise<void> {
    for (const thread of this.ready) {
      // One that has died in the meantime is replaced anyway.
      if (this.#isStopping || !this.#ready.has(thread)) continue;
      await this.#fill(thread.place, thread);
      if (!this.#ready.delete(thread)) continue;
      this.#retired.add(thread);
      this.#exiting.add(thread.exited);
      void thread.exited.then(() => {
        this.#retired.delete(thread);
        this.#exiting.delete(thread.exited);
      });
      this.#listener.onRetired(thread);
      void thread.close(RETIRE_MS);
    }
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
    await Promise.all(this.alive.map((thread) => thread.close(deadlineMs)));
    await Promise.all(this.#exiting);
  }

  /**
   * Starts a thread in a place and waits until its engines are open.
   * @param predecessor thread that has the place until then
   */
  async #fill(place: number, predecessor?: InferenceThread): Promise<void> {
    const { engineUrl, maxHeapMb, stuckAfterMs, terminateAfterMs, onEvent } = this.#options;
    const engines = await this.#engines();
    if (this.#isStopping) return;
    const startedAt = performance.now();
    const thread = new InferenceThread({
      place,
      engineUrl,
      maxHeapMb: engines.reduce((sum, { model }) => sum + heapMbOf(model), maxHeapMb),
      stuckAfterMs,
      terminateAfterMs,
      unanswered: this.#unanswered,
      listener: {
        onDone: this.#listener.onDone,
        onFailed: this.#listener.onFailed,
        onDeath: (...death) => this.#replace(...death),
      },
    });
    const opening = Promise.all(engines.map(({ key, model }) => thread.open(key, model))).then(
      async () => {
        if (this.#isStopping || this.#isTaken(place, predecessor)) await thread.close(FAILED_START_CLOSE_MS);
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

  /** Whether a place has a thread already: one that was to be renewed died, and both replacements became ready. */
  #isTaken(place: number, predecessor: InferenceThread | undefined): boolean {
    return this.ready.some((thread) => thread.place === place && thread !== predecessor);
  }

  #replace(thread: InferenceThread, error: Error, held: readonly HeldPiece[]): void {
    if (this.#retired.delete(thread)) {
      if (held.length > 0) this.#options.onEvent({ kind: 'thread-died', thread: thread.place, error });
      this.#listener.onDeath(thread, error, held);
      return;
    }
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

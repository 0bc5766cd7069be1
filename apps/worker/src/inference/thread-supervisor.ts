/**
 * Keeps the inference threads of a pool at their number: starts them, replaces those that die, ends them all.
 *
 * A place in the crew is `starting` (engine not open yet), `ready`, or `pausing` (its thread died; the next one starts after a
 * delay that doubles with each death until a piece is finished). A thread that dies while `starting` is a failed start: at
 * `start` it fails the whole crew with the engine's own error, later it pauses its place again, and after `maxFailedStarts` in a
 * row with nobody ready the crew gives up for good. Nobody is replaced once `stop` was called.
 */

import type { HeldPiece } from './bisect.ts';
import type { FilledPoolOptions } from './options.ts';
import { InferenceThread, type ThreadListener } from './thread-handle.ts';

/** Time for a thread that could not open its engine to end by itself. */
const FAILED_START_CLOSE_MS = 5_000;

/** What a crew tells its pool. */
export interface CrewListener extends Omit<ThreadListener, 'onDeath'> {
  /** A new thread takes work. */
  onReady(): void;
  /** A ready thread died with these pieces; its replacement is on the way. */
  onDeath: ThreadListener['onDeath'];
  /** There are no threads and there will be none. */
  onGaveUp(error: Error): void;
}

/** Dependencies of a crew. */
export interface ThreadSupervisorDeps {
  options: FilledPoolOptions;
  /** The model that a thread opens first. */
  firstModel: () => Promise<unknown>;
  listener: CrewListener;
}

/** The threads of one pool. */
export class ThreadSupervisor {
  readonly #options: FilledPoolOptions;
  readonly #firstModel: () => Promise<unknown>;
  readonly #listener: CrewListener;
  readonly #ready = new Set<InferenceThread>();
  readonly #starting = new Set<Promise<void>>();
  /** Threads that are given up and not gone yet. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #deathsInARow = 0;
  #failedStarts = 0;
  #isStopping = false;

  constructor({ options, firstModel, listener }: ThreadSupervisorDeps) {
    this.#options = options;
    this.#firstModel = firstModel;
    this.#listener = listener;
  }

  /** Threads that take work, in the order they became ready. */
  get ready(): readonly InferenceThread[] {
    return [...this.#ready];
  }

  /** Fills every place. Rejects with the first failure, after all threads have ended. */
  async start(): Promise<void> {
    const places = Array.from({ length: this.#options.threads }, (_, place) => this.#fill(place));
    const failure = (await Promise.allSettled(places)).find(({ status }) => status === 'rejected');
    if (failure === undefined) return;
    await this.stop(FAILED_START_CLOSE_MS);
    throw (failure as PromiseRejectedResult).reason;
  }

  /** Work gets done: whatever died before, it is not the crew that is ill. */
  recordProgress(): void {
    this.#deathsInARow = 0;
    this.#failedStarts = 0;
  }

  /** Ends all threads; those that still work at the deadline may finish their current text. Resolves when all are gone. */
  async stop(deadlineMs: number): Promise<void> {
    this.#endPauses();
    await Promise.allSettled(this.#starting);
    await Promise.all(this.ready.map((thread) => thread.close(deadlineMs)));
    await Promise.all(this.#leaving);
  }

  /** Starts a thread and waits for its engine. */
  async #fill(place: number): Promise<void> {
    const { precision, engineUrl, maxHeapMb, stuckAfterMs, terminateAfterMs, onEvent } = this.#options;
    const model = await this.#firstModel();
    if (this.#isStopping) return;
    const startedAt = performance.now();
    const thread = new InferenceThread({
      place,
      engineUrl,
      maxHeapMb,
      stuckAfterMs,
      terminateAfterMs,
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
    // A thread that was not ready reports through its rejected opening; one that ended at `stop` died as it should.
    if (!this.#ready.delete(thread)) return;
    this.#leaving.add(thread.exited);
    void thread.exited.then(() => this.#leaving.delete(thread.exited));
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

  /** From here on no place is filled again. */
  #endPauses(): void {
    this.#isStopping = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
  }
}

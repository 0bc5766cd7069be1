/** Detects a thread that holds work and makes no progress; used by `thread-handle.ts`. */

/**
 * Consecutive checks without progress before a thread counts as stuck: a process that was frozen fails one
 * check, not all.
 */
const CHECKS = 10;

/** Options of `StuckWatch`. */
export interface StuckWatchOptions {
  /** Time without progress after which `onStuck` is called. */
  stuckAfterMs: number;
  /** Returns a number that changes as long as the thread makes progress. */
  progress: () => number;
  onStuck: () => void;
}

/** A timer that runs while its thread holds work. */
export class StuckWatch {
  readonly #options: StuckWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StuckWatchOptions) {
    this.#options = options;
  }

  /** Starts the timer unless it is running. */
  start(): void {
    if (this.#timer === undefined) this.#check(this.#options.progress(), CHECKS);
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #check(before: number, checksLeft: number): void {
    const { stuckAfterMs, progress, onStuck } = this.#options;
    this.#timer = setTimeout(() => {
      const now = progress();
      if (now !== before) this.#check(now, CHECKS);
      else if (checksLeft > 1) this.#check(now, checksLeft - 1);
      else onStuck();
    }, stuckAfterMs / CHECKS);
  }
}

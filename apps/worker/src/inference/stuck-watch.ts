/** Notices that a thread which holds work gets nowhere; used by `thread-handle.ts`. */

/** Checks in a row before a thread counts as stuck: a process that was frozen and thaws has missed one, not all. */
const CHECKS = 10;

/** Dependencies of a watch. */
export interface StuckWatchOptions {
  /** Time without progress after which `onStuck` is called. */
  stuckAfterMs: number;
  /** Any number that changes as long as the thread gets on. */
  progress: () => number;
  onStuck: () => void;
}

/** A clock that runs while its thread holds work. */
export class StuckWatch {
  readonly #options: StuckWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StuckWatchOptions) {
    this.#options = options;
  }

  /** Starts the clock, if it does not run. */
  start(): void {
    if (this.#timer === undefined) this.#check(this.#options.progress(), CHECKS);
  }

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

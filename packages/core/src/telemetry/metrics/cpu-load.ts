/** Calculates the cores used, or stopped, over the last seconds from the kernel's CPU time counters. */

/** Dependencies of {@link CpuLoad}; tests pass their own clock and counter. */
export interface CpuLoadDeps {
  /** Returns a CPU time counter in seconds; it never decreases. */
  usageSeconds: () => number;
  /** Returns a monotonic time in milliseconds. Default `performance.now`. */
  now?: () => number;
}

/** Minimum time over which the load is averaged, so that a second scraper does not make it noisy. */
const WINDOW_MS = 10_000;

/** Minimum time between two samples. */
const MIN_STEP_MS = 1000;

/** Reads the counter only on request, so it needs no timer and costs nothing between scrapes. */
export class CpuLoad {
  readonly #usageSeconds: () => number;
  readonly #now: () => number;
  /** Samples, oldest first; only the first may be older than the window. */
  readonly #samples: { at: number; usageSeconds: number }[] = [];

  constructor({ usageSeconds, now = () => performance.now() }: CpuLoadDeps) {
    this.#usageSeconds = usageSeconds;
    this.#now = now;
    this.#samples.push({ at: now(), usageSeconds: usageSeconds() });
  }

  /**
   * Average cores used since the newest sample that is at least 10 s old, or since the first; 0 at the first
   * call.
   */
  usedCores(): number {
    const sample = { at: this.#now(), usageSeconds: this.#usageSeconds() };
    while (this.#samples[1] !== undefined && this.#samples[1].at <= sample.at - WINDOW_MS)
      this.#samples.shift();
    const start = this.#samples[0] ?? sample;
    const newest = this.#samples.at(-1) ?? sample;
    if (sample.at - newest.at >= MIN_STEP_MS) this.#samples.push(sample);
    const seconds = (sample.at - start.at) / 1000;
    return seconds <= 0 ? 0 : Math.max(0, sample.usageSeconds - start.usageSeconds) / seconds;
  }
}

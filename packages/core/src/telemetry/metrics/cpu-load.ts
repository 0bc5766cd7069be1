/** Cores used over the last seconds, from the kernel's growing sums; the CPU metrics ask it at every scrape. */

/** Where the load comes from; tests hand in their own clock and sums. */
export interface CpuLoadDeps {
  /** CPU seconds since some start; only grows. */
  usageSeconds: () => number;
  /** Milliseconds since some start. Default `performance.now`. */
  now?: () => number;
}

/** The load is taken over at least this time, so that a second scraper does not turn it into noise. */
const WINDOW_MS = 10_000;

/** Samples closer together than this are one. */
const MIN_STEP_MS = 1000;

/** Looks at the sums only when it is asked, so it costs nothing between scrapes and needs no timer. */
export class CpuLoad {
  readonly #usageSeconds: () => number;
  readonly #now: () => number;
  /** Oldest first; the first is the only one that may be older than the window. */
  readonly #samples: { at: number; usageSeconds: number }[] = [];

  constructor({ usageSeconds, now = () => performance.now() }: CpuLoadDeps) {
    this.#usageSeconds = usageSeconds;
    this.#now = now;
    this.#samples.push({ at: now(), usageSeconds: usageSeconds() });
  }

  /** Cores used on average since the newest earlier look that is 10 s old, or since the first look; 0 at the first. */
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

/** Measures how fast an inference thread embeds; producers size batches by it. */

/** Thread time over which the rate is averaged, in seconds: older batches count less and less. */
const WINDOW_SECONDS = 5;

/** The rate of one busy thread, in estimated tokens per second, as batches are cut. */
export class ThreadRate {
  #tokens = 0;
  #seconds = 0;

  /** Estimated tokens per second; `undefined` before the first batch. */
  get tokensPerSecond(): number | undefined {
    return this.#seconds === 0 ? undefined : this.#tokens / this.#seconds;
  }

  /** Adds a computed batch. */
  add(tokens: number, seconds: number): void {
    if (seconds <= 0) return;
    const kept = Math.max(0, 1 - seconds / WINDOW_SECONDS);
    this.#tokens = this.#tokens * kept + tokens;
    this.#seconds = this.#seconds * kept + seconds;
  }
}

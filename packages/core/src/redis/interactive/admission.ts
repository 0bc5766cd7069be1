/** How many interactive texts one producer takes at a time, and how long the others are to wait; the lane asks it. */

import { UnavailableError } from '@embedmill/contract';

const SECOND = 1000;

/** Answers of so many seconds say how fast the workers are. */
const WINDOW_SECONDS = 10;

/** What callers are told when nothing was answered for a while; and the longest that they are ever told. */
const LONGEST_WAIT_MS = 30 * SECOND;

/** Counts texts from their admission to their answer. */
export class Admission {
  readonly #maxTexts: number;
  #inFlight = 0;
  /** Since when there are texts in flight without a break. */
  #busySince = 0;
  /** Texts answered, by second. */
  readonly #answered = new Map<number, number>();

  /** @param maxTexts texts in flight at a time */
  constructor(maxTexts: number) {
    this.#maxTexts = maxTexts;
  }

  /** Texts that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Lets texts in. A call alone is let in whatever its size, so that no call is too large for ever.
   * @throws {UnavailableError} `overloaded` (facts: `retryAfterSeconds`, `retryAfterMs`)
   */
  enter(texts: number): void {
    const tooMany = this.#inFlight + texts - this.#maxTexts;
    if (this.#inFlight > 0 && tooMany > 0) throw this.#refusal(tooMany);
    if (this.#inFlight === 0) this.#busySince = performance.now();
    this.#inFlight += texts;
  }

  /** Texts have left; `answered` when workers did them. */
  leave(texts: number, answered: boolean): void {
    this.#inFlight -= texts;
    if (!answered) return;
    const second = Math.floor(performance.now() / SECOND);
    this.#answered.set(second, (this.#answered.get(second) ?? 0) + texts);
    for (const old of this.#answered.keys()) {
      if (old > second - WINDOW_SECONDS) break;
      this.#answered.delete(old);
    }
  }

  #refusal(tooMany: number): UnavailableError {
    const rate = this.#textsPerSecond();
    const waitMs = rate === 0 ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, (tooMany / rate) * SECOND);
    return new UnavailableError(
      'overloaded',
      `${this.#inFlight} texts wait for an answer, the most at a time is ${this.#maxTexts}`,
      { facts: { retryAfterSeconds: Math.ceil(waitMs / SECOND), retryAfterMs: Math.ceil(waitMs) } },
    );
  }

  /** Over the window, or over the time since there is anything to do, if that is shorter. */
  #textsPerSecond(): number {
    const now = performance.now();
    const since = Math.max(now - WINDOW_SECONDS * SECOND, this.#busySince);
    let texts = 0;
    for (const [second, answered] of this.#answered) {
      if ((second + 1) * SECOND > since) texts += answered;
    }
    return (texts * SECOND) / Math.max(SECOND, now - since);
  }
}

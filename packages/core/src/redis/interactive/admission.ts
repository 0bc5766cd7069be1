/** Limits the interactive texts in flight by number and size, and estimates when a rejected call should be sent again. */

import { UnavailableError } from '@embedmill/contract';

const SECOND = 1000;

/** The throughput of the workers is measured over this time. */
const WINDOW_SECONDS = 10;

/** Maximum `Retry-After`; also the value while no text has been answered recently. */
const MAX_WAIT_MS = 30 * SECOND;

/**
 * Maximum mean of characters per text in flight, when the maximum number of texts is: all of them are in the memory of this
 * process and, until a worker takes them, of Redis.
 */
const MAX_MEAN_CHARS = 8 * 1024;

/** Counts texts from their admission to their answer. */
export class Admission {
  readonly #maxTexts: number;
  #inFlight = 0;
  #charsInFlight = 0;
  /** Time since which there have always been texts in flight. */
  #busySince = 0;
  /** Texts answered, per second. */
  readonly #answered = new Map<number, number>();

  /** @param maxTexts maximum texts in flight */
  constructor(maxTexts: number) {
    this.#maxTexts = maxTexts;
  }

  /** Texts that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Admits texts. When no others are in flight, a call of any size is admitted, so that none is too large.
   * @param chars their characters
   * @throws {UnavailableError} `overloaded` (facts: `retryAfterSeconds`, `retryAfterMs`)
   */
  enter(texts: number, chars: number): void {
    const tooMany = this.#inFlight + texts - this.#maxTexts;
    const tooManyChars = this.#charsInFlight + chars - this.#maxTexts * MAX_MEAN_CHARS;
    const excess = Math.max(tooMany, Math.ceil(tooManyChars / MAX_MEAN_CHARS));
    if (this.#inFlight > 0 && excess > 0) throw this.#refusal(excess);
    if (this.#inFlight === 0) this.#busySince = performance.now();
    this.#inFlight += texts;
    this.#charsInFlight += chars;
  }

  /** Records that texts have left; `answered` is true when workers answered them. */
  leave(texts: number, chars: number, answered: boolean): void {
    this.#inFlight -= texts;
    this.#charsInFlight -= chars;
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
    const waitMs = rate === 0 ? MAX_WAIT_MS : Math.min(MAX_WAIT_MS, (tooMany / rate) * SECOND);
    return new UnavailableError(
      'overloaded',
      `${this.#inFlight} texts with ${this.#charsInFlight} characters are in flight, the maximum is ${this.#maxTexts} texts with ${this.#maxTexts * MAX_MEAN_CHARS} characters`,
      { facts: { retryAfterSeconds: Math.ceil(waitMs / SECOND), retryAfterMs: Math.ceil(waitMs) } },
    );
  }

  /** Throughput over the window, or over the time since there are texts in flight, if that is shorter. */
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

/** The numbers of the parts of a run, in row order, as they become known while the input is read. */

import { ChangeSignal } from '../../io/change-signal.ts';

/** Filled by the side that uploads, read by the side that downloads. */
export class PartQueue {
  readonly #parts: number[] = [];
  readonly #changes = new ChangeSignal();
  #isComplete = false;

  /** Passes the parts on and adds each before it is sent. */
  async *record<Part extends { number: number }>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
    for await (const part of parts) {
      this.#parts.push(part.number);
      this.#changes.notify();
      yield part;
    }
    this.#isComplete = true;
    this.#changes.notify();
  }

  /** All parts, from the first one on; waits for those that are still to come. */
  async *read(signal: AbortSignal): AsyncGenerator<number> {
    for (let read = 0; ; read++) {
      while (read >= this.#parts.length && !this.#isComplete) await this.#changes.wait(signal);
      const part = this.#parts[read];
      if (part === undefined) return;
      yield part;
    }
  }

  /** Resolves when the last part is known. */
  async whenComplete(signal: AbortSignal): Promise<void> {
    while (!this.#isComplete) await this.#changes.wait(signal);
  }
}

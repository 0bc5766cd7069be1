/** The credit that one run holds for its batches in Redis. */

import type { Credits } from './credits.ts';
import type { Ledger } from './ledger.ts';

/** Returns the credit of each batch exactly once. */
export class RunCredit {
  readonly #credits: Credits;
  readonly #ledger: Ledger;
  /** Batches whose credit has been taken and not yet returned. */
  readonly #held = new Set<number>();

  constructor(credits: Credits, ledger: Ledger) {
    this.#credits = credits;
    this.#ledger = ledger;
  }

  /** Bytes of credit that a batch takes while it is in Redis; 0 for an unknown batch. */
  bytesOf(batch: number): number {
    return this.#ledger.batches[batch]?.creditBytes ?? 0;
  }

  /** Makes the run responsible for credit that a part writer has taken. */
  hold(batch: number): void {
    this.#held.add(batch);
  }

  /**
   * Takes the credit of a batch that may already be in Redis; it does not wait, or a restart could wait for
   * itself. No effect on credit that the run holds.
   */
  claim(batch: number): void {
    if (this.#held.has(batch)) return;
    this.#credits.claim(this.bytesOf(batch));
    this.#held.add(batch);
  }

  /** Returns the credit of a batch, if the run holds it. */
  give(batch: number): void {
    if (this.#held.delete(batch)) this.#credits.give(this.bytesOf(batch));
  }

  /** Returns everything the run holds. */
  giveAll(): void {
    for (const batch of [...this.#held]) this.give(batch);
  }
}

/** Undoes what a process opened, in reverse order; filled while the process starts. */

/** A stack of undo functions. */
export class Releasers {
  readonly #stack: (() => Promise<unknown> | unknown)[] = [];
  #released: Promise<void> | undefined;

  /** Adds what undoes the step just taken. */
  add(release: () => Promise<unknown> | unknown): void {
    this.#stack.push(release);
  }

  /**
   * Runs all, last first; a second call waits for the first. Every one is run even when one fails; the first
   * error is thrown.
   */
  release(): Promise<void> {
    this.#released ??= this.#releaseAll();
    return this.#released;
  }

  async #releaseAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let release = this.#stack.pop(); release !== undefined; release = this.#stack.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

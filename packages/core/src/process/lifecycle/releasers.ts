/** Releases the resources of a process in reverse order of their creation. */

/** A stack of release functions, filled while the process starts. */
export class Releasers {
  readonly #stack: (() => Promise<unknown> | unknown)[] = [];
  #released: Promise<void> | undefined;

  /** Adds the release function of a resource just opened. */
  add(release: () => Promise<unknown> | unknown): void {
    this.#stack.push(release);
  }

  /**
   * Runs all functions, last first, even if one fails; then throws the first error. A second call waits for
   * the first.
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

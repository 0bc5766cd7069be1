/** An async shared/exclusive lock; a batch that may kill the process is embedded under the exclusive lock. */

/** Runs shared steps side by side and exclusive steps alone, exclusive ones in the order of their calls. */
export class SharedExclusiveLock {
  /** Resolves when the last exclusive step that was requested so far has finished. */
  #exclusive: Promise<unknown> = Promise.resolve();
  readonly #shared = new Set<Promise<unknown>>();

  /** Runs a step beside other shared steps, after the exclusive steps requested before it. */
  async together<Value>(step: () => Promise<Value>): Promise<Value> {
    // Another exclusive step may have been requested during the wait.
    for (let awaited: unknown; awaited !== this.#exclusive; await awaited) awaited = this.#exclusive;
    const work = step();
    this.#shared.add(work);
    try {
      return await work;
    } finally {
      this.#shared.delete(work);
    }
  }

  /** Waits for all running steps, then runs a step that excludes all others. */
  alone<Value>(step: () => Promise<Value>): Promise<Value> {
    const turn = this.#exclusive.then(async () => {
      await Promise.allSettled(this.#shared);
      return await step();
    });
    this.#exclusive = turn.catch(() => {});
    return turn;
  }
}

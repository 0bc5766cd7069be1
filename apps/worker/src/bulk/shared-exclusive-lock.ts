/** Lets many steps run side by side, or one alone; a batch that may kill the process is embedded alone. */

export class SharedExclusiveLock {
  /** Resolves when nobody is alone or waits for it. */
  #door: Promise<unknown> = Promise.resolve();
  readonly #inside = new Set<Promise<unknown>>();

  /** Runs a step beside others, once nobody is alone. */
  async together<Value>(step: () => Promise<Value>): Promise<Value> {
    // It may have been closed again while we waited.
    for (let door: unknown; door !== this.#door; await door) door = this.#door;
    const work = step();
    this.#inside.add(work);
    try {
      return await work;
    } finally {
      this.#inside.delete(work);
    }
  }

  /** Runs a step when all others are out, and keeps them out until it is done. */
  alone<Value>(step: () => Promise<Value>): Promise<Value> {
    const turn = this.#door.then(async () => {
      await Promise.allSettled(this.#inside);
      return await step();
    });
    this.#door = turn.catch(() => {});
    return turn;
  }
}

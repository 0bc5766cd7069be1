/** Requests that wait for the vectors of parts; the run owns one. */

/** Checks every waiting condition when the run has changed. */
export class PartWaits {
  readonly #checks = new Set<() => void>();

  /** Number of waits. */
  get count(): number {
    return this.#checks.size;
  }

  /** Call it after a change that a condition may depend on. */
  check(): void {
    for (const check of [...this.#checks]) check();
  }

  /**
   * Resolves with true when the condition holds, or with false when `signal` is aborted first.
   * @throws what the condition throws
   */
  async until(condition: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (condition()) return true;
    return await new Promise<boolean>((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#checks.delete(check);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => end(() => resolve(false));
      const check = () => {
        try {
          if (condition()) end(() => resolve(true));
        } catch (error) {
          end(() => reject(error));
        }
      };
      this.#checks.add(check);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
  }
}

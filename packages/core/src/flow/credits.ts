/** Credits: how many bytes this producer may still put into Redis. Taken before a batch is enqueued, given back when it is on disk. */

/**
 * A fair counting semaphore over bytes: whoever asked first is served first, so a large batch is not starved by small ones.
 * A batch larger than the whole limit is let through alone.
 */
export class Credits {
  readonly limitBytes: number;
  #usedBytes = 0;
  readonly #queue: { bytes: number; grant: () => void; refuse: (reason: unknown) => void }[] = [];

  /** @param limitBytes bytes that may be out at a time */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Callers that wait for credit. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Takes credit, waiting until there is enough.
   * @throws the signal's reason when it is aborted first; then nothing was taken.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#queue.length === 0 && this.#fits(bytes)) {
      this.#usedBytes += bytes;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiter = { bytes, grant: resolve, refuse: reject };
      const abort = () => {
        const position = this.#queue.indexOf(waiter);
        if (position < 0) return;
        this.#queue.splice(position, 1);
        reject(signal?.reason);
        this.#serve();
      };
      waiter.grant = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#queue.push(waiter);
    });
  }

  /** Takes credit without waiting, over the limit if need be: for batches that are in Redis already (after a restart). */
  claim(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Gives credit back. */
  give(bytes: number): void {
    this.#usedBytes = Math.max(0, this.#usedBytes - bytes);
    this.#serve();
  }

  #serve(): void {
    for (let first = this.#queue[0]; first !== undefined && this.#fits(first.bytes); first = this.#queue[0]) {
      this.#queue.shift();
      this.#usedBytes += first.bytes;
      first.grant();
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes;
  }
}

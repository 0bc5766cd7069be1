/** Credits: how many bytes this producer may still put into Redis. Taken before a batch is enqueued, given back when it is on disk. */

/** The pace of credit that comes back is taken over this time. */
const DRAIN_WINDOW_MS = 15_000;

/**
 * A fair counting semaphore over bytes: whoever asked first is served first, so a large batch is not starved by small ones.
 * A batch larger than the whole limit is let through alone.
 */
export class Credits {
  readonly #limitBytes: number;
  #capBytes = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #usedBytes = 0;
  readonly #given: { at: number; bytes: number }[] = [];
  readonly #queue: { bytes: number; grant: () => void; refuse: (reason: unknown) => void }[] = [];

  /** @param limitBytes bytes that may be out at a time */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that may be out at a time: the limit, or the cap if it is smaller. */
  get limitBytes(): number {
    return Math.min(this.#limitBytes, this.#capBytes);
  }

  /** True while nobody gets credit, however much there is. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes per second that came back lately; 0 when none did. */
  get drainBytesPerSecond(): number {
    const now = performance.now();
    this.#forgetBefore(now - DRAIN_WINDOW_MS);
    const first = this.#given[0];
    if (first === undefined) return 0;
    const bytes = this.#given.reduce((sum, given) => sum + given.bytes, 0);
    return (1000 * bytes) / Math.max(1000, now - first.at);
  }

  /** Seconds until a caller that comes now would be served at the present pace; `null` when nothing comes back. */
  secondsToServe(bytes: number): number | null {
    const rate = this.drainBytesPerSecond;
    const ahead = this.#queue.reduce((sum, waiter) => sum + waiter.bytes, bytes);
    return rate === 0 ? null : Math.max(0, this.#usedBytes + ahead - this.limitBytes) / rate;
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

  /** Sets a limit of somebody else, such as the memory of Redis; `Infinity` for none. */
  cap(bytes: number): void {
    this.#capBytes = bytes;
    this.#serve();
  }

  /** From now on everybody waits. */
  close(): void {
    this.#isClosed = true;
  }

  /** Lets callers be served again. */
  open(): void {
    this.#isClosed = false;
    this.#serve();
  }

  /** Gives credit back. */
  give(bytes: number): void {
    const now = performance.now();
    this.#given.push({ at: now, bytes });
    this.#forgetBefore(now - DRAIN_WINDOW_MS);
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

  #forgetBefore(time: number): void {
    while (this.#given[0] !== undefined && this.#given[0].at < time) this.#given.shift();
  }

  #fits(bytes: number): boolean {
    if (this.#isClosed) return false;
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes;
  }
}

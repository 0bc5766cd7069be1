/**
 * Credits: bytes a producer may have in Redis, taken per batch and returned once its result is on disk.
 * Decision: docs/decisions/0003.
 */

/** The rate of returned credit is measured over this time. */
const DRAIN_WINDOW_MS = 15_000;

/**
 * A fair counting semaphore over bytes: first come, first served, so that small batches do not starve a large
 * one. A batch larger than the whole limit is admitted alone.
 */
export class Credits {
  readonly #limitBytes: number;
  #capBytes = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #usedBytes = 0;
  readonly #returned: { at: number; bytes: number }[] = [];
  readonly #queue: { bytes: number; grant: () => void }[] = [];

  /** @param limitBytes maximum bytes taken at a time */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Maximum bytes taken at a time: the limit, or the cap if it is smaller. */
  get limitBytes(): number {
    return Math.min(this.#limitBytes, this.#capBytes);
  }

  /** True while no credit is granted, whatever is available. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes per second returned over the last 15 s; 0 if none. */
  get drainBytesPerSecond(): number {
    const now = performance.now();
    this.#dropBefore(now - DRAIN_WINDOW_MS);
    const first = this.#returned[0];
    if (first === undefined) return 0;
    const bytes = this.#returned.reduce((sum, credit) => sum + credit.bytes, 0);
    return (1000 * bytes) / Math.max(1000, now - first.at);
  }

  /** Estimated wait in seconds of a new caller for `bytes`; `null` while no credit is being returned. */
  secondsToServe(bytes: number): number | null {
    const rate = this.drainBytesPerSecond;
    const ahead = this.#queue.reduce((sum, waiter) => sum + waiter.bytes, bytes);
    return rate === 0 ? null : Math.max(0, this.#usedBytes + ahead - this.limitBytes) / rate;
  }

  /** Bytes taken and not yet returned. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Number of callers waiting for credit. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes credit if there is enough and no caller waits; returns whether it did. */
  takeNow(bytes: number): boolean {
    if (this.#queue.length > 0 || !this.#fits(bytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /**
   * Takes credit, waiting until there is enough.
   * @throws the signal's reason when it is aborted first; then no credit is taken
   */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.takeNow(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = { bytes, grant: resolve };
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

  /** Takes credit without waiting, even over the limit, for batches already in Redis after a restart. */
  claim(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Sets a second limit, derived from the memory of Redis; `Infinity` for none. */
  cap(bytes: number): void {
    this.#capBytes = bytes;
    this.#serve();
  }

  /** Stops granting credit. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resumes granting credit. */
  open(): void {
    this.#isClosed = false;
    this.#serve();
  }

  /** Returns credit. */
  give(bytes: number): void {
    const now = performance.now();
    this.#returned.push({ at: now, bytes });
    this.#dropBefore(now - DRAIN_WINDOW_MS);
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

  #dropBefore(time: number): void {
    while (this.#returned[0] !== undefined && this.#returned[0].at < time) this.#returned.shift();
  }

  #fits(bytes: number): boolean {
    if (this.#isClosed) return false;
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes;
  }
}

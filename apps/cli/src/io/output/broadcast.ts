/** Passes the values of one source to several readers, so that one pass over rows fills several files. */

/** All readers get all values; the source is read on when every reader has asked for the next value. */
export class Broadcast<Value> {
  readonly #source: AsyncIterator<Value>;
  #readers: number;
  #waiting: { resolve: (next: Promise<IteratorResult<Value>>) => void; reject: (error: unknown) => void }[] =
    [];
  #failure: { error: unknown } | null = null;

  /** @param readers number of calls of {@link read}; each must be read or {@link fail} called */
  constructor(source: AsyncIterable<Value>, readers: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#readers = readers;
  }

  /** The values for one reader, which may stop early. */
  async *read(): AsyncGenerator<Value> {
    try {
      for (let next = await this.#next(); next.done !== true; next = await this.#next()) yield next.value;
    } finally {
      this.#readers -= 1;
      this.#advance();
    }
  }

  /** Ends all readers with an error; called when one of them failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting) reject(this.#failure.error);
    this.#waiting = [];
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #next(): Promise<IteratorResult<Value>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure.error);
      else this.#waiting.push({ resolve, reject });
      this.#advance();
    });
  }

  #advance(): void {
    if (this.#waiting.length < this.#readers || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const next = this.#source.next();
    for (const { resolve } of waiting) resolve(next);
  }
}

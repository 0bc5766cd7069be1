/** Texts of rows, fetched in pages when they are first shown. */

import { useEffect, useState } from 'preact/hooks';
import { requestJson } from '../api/client.ts';

/** A row as the API returns it. */
export interface RowText {
  row: number;
  id: string;
  /** `null` without a text. */
  text: string | null;
  /** Values of the kept columns. */
  columns?: Readonly<Record<string, unknown>>;
}

/** Rows per request. */
const PAGE_ROWS = 100;

/** Rows that are kept: about 10 MB of texts. */
const MAX_KEPT_ROWS = 10_000;

/** Fetches each row once and tells its listeners when rows have arrived. */
export class RowTexts {
  readonly #run: string;
  readonly #kept = new Map<number, RowText>();
  readonly #requested = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #error: unknown = null;

  constructor(run: string) {
    this.#run = run;
  }

  /** The error of the last request; `null` if it succeeded. */
  get error(): unknown {
    return this.#error;
  }

  /** Returns a row; `undefined` until it has arrived. */
  get(row: number): RowText | undefined {
    return this.#kept.get(row);
  }

  /** Fetches the rows that are neither here nor on their way. */
  want(rows: readonly number[]): void {
    const missing = rows.filter((row) => !this.#kept.has(row) && !this.#requested.has(row));
    for (let start = 0; start < missing.length; start += PAGE_ROWS) {
      void this.#fetch(missing.slice(start, start + PAGE_ROWS));
    }
  }

  /** Calls the listener whenever rows arrive or a request fails; returns a function that ends this. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #fetch(rows: readonly number[]): Promise<void> {
    for (const row of rows) this.#requested.add(row);
    try {
      const reply = await requestJson<{ rows: RowText[] }>(`v1/runs/${this.#run}/texts?rows=${rows}`);
      for (const row of reply.rows) this.#kept.set(row.row, row);
      for (const row of this.#kept.keys()) {
        if (this.#kept.size <= MAX_KEPT_ROWS) break;
        this.#kept.delete(row);
      }
      this.#error = null;
    } catch (error) {
      this.#error = error;
    }
    for (const row of rows) this.#requested.delete(row);
    for (const listener of this.#listeners) listener();
  }
}

/** Rerenders the component whenever rows arrive; `rows` are fetched if they are missing. */
export function useRowTexts(texts: RowTexts, rows: readonly number[]): void {
  const [, setTurn] = useState(0);
  useEffect(() => texts.listen(() => setTurn((n) => n + 1)), [texts]);
  const wanted = rows.join(',');
  useEffect(() => {
    if (wanted !== '') texts.want(wanted.split(',').map(Number));
  }, [texts, wanted]);
}

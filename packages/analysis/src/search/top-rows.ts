/** Keeps the rows with the highest scores of a scan. */

/** A row number and its score. */
export interface ScoredRow {
  /** Number of the row among all rows, from 0. */
  readonly row: number;
  readonly score: number;
}

/** The `count` best rows, best first; ties go to the earlier row. Rows must be offered in ascending order. */
export class TopRows {
  readonly #count: number;
  readonly #rows: ScoredRow[] = [];

  /** @param count maximum number of rows, at least 1; an offer moves at most this many */
  constructor(count: number) {
    this.#count = count;
  }

  /** Score that a row must exceed to be kept; −Infinity while there is room. */
  get bar(): number {
    return this.#rows.length < this.#count ? Number.NEGATIVE_INFINITY : this.#rows[this.#count - 1]!.score;
  }

  /** Keeps the row if it is among the best so far. */
  offer(row: number, score: number): void {
    if (!(score > this.bar)) return;
    let from = 0;
    for (let to = this.#rows.length; from < to; ) {
      const middle = (from + to) >> 1;
      if (this.#rows[middle]!.score >= score) from = middle + 1;
      else to = middle;
    }
    this.#rows.splice(from, 0, { row, score });
    if (this.#rows.length > this.#count) this.#rows.pop();
  }

  /** The best rows so far, best first. */
  get rows(): readonly ScoredRow[] {
    return this.#rows;
  }
}

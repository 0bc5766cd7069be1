/** Keeps the best of the rows that a scan offers; `scanRows` fills it. */

/** A row that a search found. */
export interface Hit {
  /** 0-based place among all rows that were scanned. */
  readonly row: number;
  readonly id: string;
  /** Dot product with the query: the cosine, −1 to 1, as vectors have length 1. */
  readonly score: number;
}

/** At most `count` hits, the best first; of equal scores the earlier row. Rows must be offered in ascending order. */
export class Nearest {
  readonly #count: number;
  readonly #hits: Hit[] = [];

  /** @param count most hits to keep, at least 1; an offer costs at most this many moves */
  constructor(count: number) {
    if (!(Number.isSafeInteger(count) && count >= 1)) {
      throw new RangeError(`the number of hits is ${count}; expected a whole number of at least 1`);
    }
    this.#count = count;
  }

  /** What a row must score more than to be kept; −Infinity while there is room. */
  get bar(): number {
    return this.#hits.length < this.#count ? Number.NEGATIVE_INFINITY : this.#hits[this.#count - 1]!.score;
  }

  /** Keeps the hit if it belongs to the best so far. */
  offer(hit: Hit): void {
    if (!(hit.score > this.bar)) return;
    let from = 0;
    for (let to = this.#hits.length; from < to; ) {
      const middle = (from + to) >> 1;
      if (this.#hits[middle]!.score >= hit.score) from = middle + 1;
      else to = middle;
    }
    this.#hits.splice(from, 0, hit);
    if (this.#hits.length > this.#count) this.#hits.pop();
  }

  /** The best so far, the nearest first. */
  get hits(): readonly Hit[] {
    return this.#hits;
  }
}

/** Keeps the nearest rows of a scan; `scanRows` fills it. */

/** A search result. */
export interface Hit {
  /** Number of the row among all scanned rows, from 0. */
  readonly row: number;
  readonly id: string;
  /** Dot product with the query: the cosine, −1 to 1, because vectors have length 1. */
  readonly score: number;
}

/** The `count` best hits, best first; ties go to the earlier row. Rows must be offered in ascending order. */
export class Nearest {
  readonly #count: number;
  readonly #hits: Hit[] = [];

  /** @param count maximum number of hits, at least 1; an offer moves at most this many */
  constructor(count: number) {
    if (!(Number.isSafeInteger(count) && count >= 1)) {
      throw new RangeError(`the number of hits is ${count}; expected a whole number of at least 1`);
    }
    this.#count = count;
  }

  /** Score that a row must exceed to be kept; −Infinity while there is room. */
  get bar(): number {
    return this.#hits.length < this.#count ? Number.NEGATIVE_INFINITY : this.#hits[this.#count - 1]!.score;
  }

  /** Keeps the hit if it is among the best so far. */
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

  /** The best hits so far, nearest first. */
  get hits(): readonly Hit[] {
    return this.#hits;
  }
}

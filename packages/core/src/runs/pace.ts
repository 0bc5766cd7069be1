/** Keeps how many rows were done when, in bounded space however long it takes; a run's progress fills it. */

/** Intervals that are kept: enough for a chart, few enough to hold thousands of runs. */
const MAX_INTERVALS = 240;

const SECOND = 1000;

/** Rows per interval of equal length. */
export interface PaceSeries {
  /** ISO 8601, the begin of the first interval; `null` before the first batch. */
  startedAt: string | null;
  intervalMs: number;
  /** Rows done in each interval; the last one may still go on. */
  rows: number[];
}

/** When there are too many intervals, neighbours are merged: a run of a second and one of a week both fit. */
export class Pace {
  #startedAt: number | null = null;
  #intervalMs = SECOND;
  #rows: number[] = [];

  /** Counts rows that were done at `at`, in milliseconds since 1970; calls come in the order of time. */
  add(rows: number, at: number): void {
    this.#startedAt ??= at;
    while (this.#intervalAt(at) >= MAX_INTERVALS) this.#halve();
    const interval = this.#intervalAt(at);
    while (this.#rows.length <= interval) this.#rows.push(0);
    this.#rows[interval]! += rows;
  }

  series(): PaceSeries {
    const startedAt = this.#startedAt === null ? null : new Date(this.#startedAt).toISOString();
    return { startedAt, intervalMs: this.#intervalMs, rows: [...this.#rows] };
  }

  /** A clock that was set back counts for the newest interval. */
  #intervalAt(at: number): number {
    const interval = Math.floor((at - this.#startedAt!) / this.#intervalMs);
    return Math.max(interval, this.#rows.length - 1, 0);
  }

  #halve(): void {
    const halves = Math.ceil(this.#rows.length / 2);
    this.#rows = Array.from({ length: halves }, (_, i) => this.#rows[2 * i]! + (this.#rows[2 * i + 1] ?? 0));
    this.#intervalMs *= 2;
  }
}

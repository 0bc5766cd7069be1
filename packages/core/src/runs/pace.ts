/** Rows done over time, in bounded memory however long the run takes; filled by the progress of a run. */

/** Maximum intervals: enough for a chart, few enough for thousands of runs in memory. */
const MAX_INTERVALS = 240;

const SECOND = 1000;

/** Rows per interval of equal length. */
export interface PaceSeries {
  /** Start of the work and of the first interval, ISO 8601; `null` before the first batch. */
  startedAt: string | null;
  intervalMs: number;
  /** Rows done in each interval; the last one may not be over. */
  rows: number[];
}

/** Merges neighbouring intervals when there are too many, so a run of a second and one of a week both fit. */
export class Pace {
  #startedAt: number | null = null;
  #intervalMs = SECOND;
  #rows: number[] = [];

  /**
   * Starts the first interval, at `at` in milliseconds since 1970: rows that were done before the first batch came back
   * took time, too. Later calls have no effect.
   */
  start(at: number): void {
    this.#startedAt ??= at;
  }

  /** Counts rows done at `at`, in milliseconds since 1970; called in chronological order. */
  add(rows: number, at: number): void {
    this.start(at);
    while (this.#intervalAt(at) >= MAX_INTERVALS) this.#halve();
    const interval = this.#intervalAt(at);
    while (this.#rows.length <= interval) this.#rows.push(0);
    this.#rows[interval]! += rows;
  }

  /** All intervals so far. */
  series(): PaceSeries {
    const hasRows = this.#rows.length > 0;
    const startedAt = hasRows ? new Date(this.#startedAt!).toISOString() : null;
    return { startedAt, intervalMs: this.#intervalMs, rows: [...this.#rows] };
  }

  /** If the clock was set back, the newest interval is used. */
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

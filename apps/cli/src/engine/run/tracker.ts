/** Puts together what is read, what is done and what is waited for; the display shows the result. */

import { emptyVerdictCounts, type RunInfo } from '@embedmill/contract';
import type { ProgressDisplay, ProgressSnapshot } from '../../shell/progress/index.ts';

/** What a tracker is told about the input. */
export interface TrackerDeps {
  display: ProgressDisplay;
  /** Part of the input that was read, from 0 to 1; `null` when nobody knows. */
  fractionRead: () => number | null;
  /** Most rows that will be read. */
  limit: number | null;
}

/** A run that stands still for so long lacks something: most likely a worker. */
const STANDSTILL_MS = 20_000;

/** Who may wait: the sending of rows or the asking for figures. */
export type Waiter = 'feed' | 'watch';

/** Shows a new snapshot after each thing it is told. */
export class Tracker {
  readonly #deps: TrackerDeps;
  readonly #waits: Record<Waiter, string | null> = { feed: null, watch: null };
  #run: RunInfo | null = null;
  #rowsRead = 0;
  #total: number | null = null;
  #movedAt = performance.now();

  constructor(parts: TrackerDeps) {
    this.#deps = parts;
  }

  /** More rows were read. */
  read(rows: number): void {
    this.#rowsRead += rows;
    this.#show();
  }

  /** The input has ended after so many rows. */
  ended(rows: number): void {
    this.#total = rows;
    this.#show();
  }

  /** The producer's latest figures. */
  saw(run: RunInfo): void {
    if (run.rows.done !== this.#run?.rows.done) this.#movedAt = performance.now();
    this.#run = run;
    this.#show();
  }

  /** Something is waited for, or no longer. */
  waits(who: Waiter, reason: string | null): void {
    this.#waits[who] = reason;
    this.#show();
  }

  snapshot(): ProgressSnapshot {
    const run = this.#run;
    return {
      rowsDone: run?.rows.done ?? 0,
      rowsTotal: this.#total ?? this.#estimate(),
      isEstimate: this.#total === null,
      rowsPerSecond: run?.rowsPerSecond ?? 0,
      tokensPerSecond: run?.tokensPerSecond ?? 0,
      verdicts: run?.verdicts ?? emptyVerdictCounts(),
      waitingFor: this.#waits.watch ?? this.#waits.feed ?? this.#standstill(),
    };
  }

  #show(): void {
    this.#deps.display.show(this.snapshot());
  }

  /** Rows in all, concluded from the bytes that are read; they run ahead of the rows, so it is a little low at first. */
  #estimate(): number | null {
    const { fractionRead, limit } = this.#deps;
    const fraction = fractionRead();
    if (fraction === null || fraction === 0 || this.#rowsRead === 0) return limit;
    const rows = Math.round(this.#rowsRead / fraction);
    return limit === null ? rows : Math.min(limit, rows);
  }

  #standstill(): string | null {
    const run = this.#run;
    if (run === null || run.rows.done >= run.rows.accepted) return null;
    return performance.now() - this.#movedAt > STANDSTILL_MS ? 'a worker (no row was finished lately)' : null;
  }
}

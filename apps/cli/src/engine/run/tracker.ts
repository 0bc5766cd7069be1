/** Combines rows read, rows done and waits into progress snapshots. */

import { emptyVerdictCounts, type RunInfo } from '@embedmill/contract';
import type { ProgressDisplay, ProgressSnapshot } from '../../shell/progress/index.ts';

/** Dependencies of a {@link Tracker}. */
export interface TrackerDeps {
  display: ProgressDisplay;
  /** The fraction of the input read so far, from 0 to 1; `null` if unknown. */
  fractionRead: () => number | null;
  /** Maximum rows to read; `null` for all. */
  limit: number | null;
}

/** A run without progress for this long probably lacks a worker. */
const STALL_MS = 20_000;

/** What may wait: sending rows, or watching the run. */
export type Waiter = 'send' | 'watch';

/** Shows a new snapshot after each update. */
export class Tracker {
  readonly #deps: TrackerDeps;
  readonly #waits: Record<Waiter, string | null> = { send: null, watch: null };
  #run: RunInfo | null = null;
  #rowsRead = 0;
  #total: number | null = null;
  #progressAt = performance.now();

  constructor(deps: TrackerDeps) {
    this.#deps = deps;
  }

  /** Adds rows read. */
  addRead(rows: number): void {
    this.#rowsRead += rows;
    this.#show();
  }

  /** Sets the total number of rows, known at the end of the input. */
  setTotal(rows: number): void {
    this.#total = rows;
    this.#show();
  }

  /** Sets the latest state of the run. */
  setRun(run: RunInfo): void {
    if (run.rows.done !== this.#run?.rows.done) this.#progressAt = performance.now();
    this.#run = run;
    this.#show();
  }

  /** Sets the reason why sending or watching waits; `null` when it no longer does. */
  setWait(waiter: Waiter, reason: string | null): void {
    this.#waits[waiter] = reason;
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
      waitingFor: this.#waits.watch ?? this.#waits.send ?? this.#stall(),
    };
  }

  #show(): void {
    this.#deps.display.show(this.snapshot());
  }

  /**
   * Estimates the total from the bytes read. Bytes are read ahead of rows, so the estimate is a little low at
   * first.
   */
  #estimate(): number | null {
    const { fractionRead, limit } = this.#deps;
    const fraction = fractionRead();
    if (fraction === null || fraction === 0 || this.#rowsRead === 0) return limit;
    const rows = Math.round(this.#rowsRead / fraction);
    return limit === null ? rows : Math.min(limit, rows);
  }

  #stall(): string | null {
    const run = this.#run;
    if (run === null || run.rows.done >= run.rows.accepted) return null;
    return performance.now() - this.#progressAt > STALL_MS ? 'a worker (no row finished recently)' : null;
  }
}

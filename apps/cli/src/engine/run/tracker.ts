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

/** What may wait: sending rows, watching the run, or receiving vectors. */
export type Waiter = 'send' | 'watch' | 'receive';

/** Shows a new snapshot after each update. */
export class Tracker {
  readonly #deps: TrackerDeps;
  readonly #waits: Record<Waiter, string | null> = { send: null, watch: null, receive: null };
  #run: RunInfo | null = null;
  #rowsRead = 0;
  #total: number | null = null;
  #progressAt = performance.now();
  #reason: string | null = null;

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
    const hasBacklog = run.rows.done < run.rows.accepted;
    if (!hasBacklog || run.rows.done !== this.#run?.rows.done) this.#progressAt = performance.now();
    this.#run = run;
    this.#show();
  }

  /** Milliseconds without a finished row although rows wait. */
  get idleMs(): number {
    return this.#run === null ? 0 : performance.now() - this.#progressAt;
  }

  /** Sets the reason why no row is finished; `null` when there is none. */
  setReason(reason: string | null): void {
    this.#reason = reason;
    this.#show();
  }

  /** Prints a line that also appears with `--quiet`. */
  announce(line: string): void {
    this.#deps.display.warn(line);
  }

  /** Sets the reason why one of them waits; `null` when it no longer does. */
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
      waitingFor: this.#reason ?? this.#waits.watch ?? this.#waits.send ?? this.#waits.receive,
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
}

/** How many workers the backlog asks for; GET /v1/scale and the metric `embedmill_workers_wanted` show it. */

import type { RunInfo, Scale } from '@embedmill/contract';

/** What the answer is made of. */
export interface ScaleDeps {
  /** Runs at work. */
  runs: () => readonly RunInfo[];
  /** Workers that are connected now. */
  workers: () => Promise<number>;
  /** Seconds in which the backlog should be done. */
  drainTargetSeconds: number;
  /** Never ask for more workers than this. */
  maxWorkers: number;
  /** Milliseconds of a clock that only goes forward. Default: the process's own. */
  now?: () => number;
}

/** Tokens of a row before any row is done: a sentence or two. */
const USUAL_TOKENS_PER_ROW = 32;

/**
 * Time for which the same workers must have been busy before their speed counts: rates look 15 seconds back, and a new worker
 * needs some for its first batch. Sooner, new workers would be counted whose rows are not, each would look slow, and more
 * would be asked for: a fleet that grows for no reason but its growth.
 */
const STEADY_MS = 20_000;

/**
 * desired = ceil(backlog tokens ÷ (tokens/s of one worker × drain target)), at least 1 while there is a backlog, 0 without.
 *
 * The speed of a worker is kept from the last time that it could be seen: not while the fleet changes, and not at the end of a
 * backlog, when some workers have nothing to do.
 */
export class Scaler {
  readonly #deps: ScaleDeps;
  readonly #now: () => number;
  #tokensPerSecondPerWorker: number | null = null;
  #tokensPerRow = USUAL_TOKENS_PER_ROW;
  /** Since when this many workers have had a backlog; `null` while there is none. */
  #steady: { workers: number; sinceMs: number } | null = null;

  constructor(parts: ScaleDeps) {
    this.#deps = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** @throws a Redis fault when the workers cannot be counted */
  async scale(): Promise<Scale> {
    const { runs, workers: countWorkers, drainTargetSeconds, maxWorkers } = this.#deps;
    const workers = await countWorkers();
    const infos = runs();
    const sum = (read: (run: RunInfo) => number) => infos.reduce((total, run) => total + read(run), 0);
    const backlogRows = sum(({ rows }) => rows.accepted - rows.done);
    const rowsDone = sum(({ rows }) => rows.done);
    if (rowsDone > 0) this.#tokensPerRow = sum(({ tokens }) => tokens) / rowsDone;
    const tokensPerSecond = sum((run) => run.tokensPerSecond);
    const backlogTokens = Math.round(backlogRows * this.#tokensPerRow);
    this.#observe(workers, backlogTokens, tokensPerSecond);
    return {
      backlogRows,
      backlogTokens,
      rowsPerSecond: sum((run) => run.rowsPerSecond),
      tokensPerSecond,
      workers,
      tokensPerSecondPerWorker: this.#tokensPerSecondPerWorker,
      drainTargetSeconds,
      desiredWorkers: this.#desired(backlogTokens, drainTargetSeconds, maxWorkers),
    };
  }

  #observe(workers: number, backlogTokens: number, tokensPerSecond: number): void {
    const nowMs = this.#now();
    if (backlogTokens === 0 || workers === 0) this.#steady = null;
    else if (this.#steady?.workers !== workers) this.#steady = { workers, sinceMs: nowMs };
    if (this.#steady === null || nowMs - this.#steady.sinceMs < STEADY_MS) return;
    if (backlogTokens > (tokensPerSecond * STEADY_MS) / 1000 && tokensPerSecond > 0) {
      this.#tokensPerSecondPerWorker = tokensPerSecond / workers;
    }
  }

  #desired(backlogTokens: number, drainTargetSeconds: number, maxWorkers: number): number {
    if (backlogTokens === 0) return 0;
    const speed = this.#tokensPerSecondPerWorker;
    if (speed === null) return 1;
    return Math.min(maxWorkers, Math.max(1, Math.ceil(backlogTokens / (speed * drainTargetSeconds))));
  }
}

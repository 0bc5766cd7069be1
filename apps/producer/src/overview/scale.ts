/**
 * Calculates how many workers the backlog requires, for GET /v1/scale and a metric.
 * Decision: docs/decisions/0040.
 */

import type { RunInfo, Scale } from '@embedmill/contract';
import type { WorkerReport } from '@embedmill/core/redis';

/** What the scale is calculated from. */
export interface ScaleDeps {
  /** Active runs. */
  runs: () => readonly RunInfo[];
  /** Number of connected workers. */
  workers: () => Promise<number>;
  /** Reports of the connected workers; undefined while Redis is unavailable. */
  reports: () => Promise<WorkerReport[] | undefined>;
  /** Target time for finishing the backlog. */
  drainTargetSeconds: number;
  /** Maximum number of workers to request. */
  maxWorkers: number;
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  now?: () => number;
}

/** Assumed tokens per row until a row is done: a sentence or two. */
const DEFAULT_TOKENS_PER_ROW = 32;

/**
 * How long the number of workers must be constant, with a backlog, before their throughput is measured: rates
 * cover the last 15 seconds, and a new worker needs time for its first batch. Measuring earlier would count
 * new workers without their rows, underestimate the throughput per worker and request ever more workers.
 */
const STEADY_MS = 20_000;

/**
 * desired = ceil(backlog tokens ÷ (tokens/s of one worker × drain target)), at least 1 while there is a
 * backlog, 0 without.
 *
 * The throughput per worker is the last one that could be measured: not while the number of workers changes,
 * and not at the end of a backlog, when some workers are idle.
 */
export class Scaler {
  readonly #deps: ScaleDeps;
  readonly #now: () => number;
  #tokensPerSecondPerWorker: number | null = null;
  #tokensPerRow = DEFAULT_TOKENS_PER_ROW;
  /** Since when this number of workers has had a backlog; `null` without a backlog. */
  #steady: { workers: number; sinceMs: number } | null = null;

  constructor(deps: ScaleDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
  }

  /** The current scale. @throws a Redis error if the workers cannot be counted */
  async scale(): Promise<Scale> {
    const { runs, workers: countWorkers, reports, drainTargetSeconds, maxWorkers } = this.#deps;
    const [workers, known = []] = await Promise.all([countWorkers(), reports()]);
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
      cpuSaturation: cpuSaturationOf(known),
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
    const perWorker = this.#tokensPerSecondPerWorker;
    if (perWorker === null) return 1;
    return Math.min(maxWorkers, Math.max(1, Math.ceil(backlogTokens / (perWorker * drainTargetSeconds))));
  }
}

/** Workers of one control group report the same use, so that the quotient is right for them, too. */
function cpuSaturationOf(workers: readonly WorkerReport[]): number | null {
  const sum = (read: (worker: WorkerReport) => number) =>
    workers.reduce((total, worker) => total + read(worker), 0);
  const quota = sum(({ quotaCores }) => quotaCores);
  return quota > 0 ? sum(({ usedCores, quotaCores }) => Math.min(usedCores, quotaCores)) / quota : null;
}

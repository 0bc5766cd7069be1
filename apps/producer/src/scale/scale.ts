/** How many workers the backlog asks for; GET /v1/scale and the metric `embedmill_workers_wanted` show it. */

import type { RunInfo } from '@embedmill/core';

/** What the answer is made of. */
export interface ScaleParts {
  /** Runs at work. */
  runs: () => readonly RunInfo[];
  /** Workers that are connected now. */
  workers: () => Promise<number>;
  /** Seconds in which the backlog should be done. */
  drainTargetSeconds: number;
  /** Never ask for more workers than this. */
  mostWorkers: number;
}

/** The backlog, the speed and what follows; also the JSON of GET /v1/scale. */
export interface Scale {
  backlogRows: number;
  /** Estimated: rows of the backlog × tokens per row so far. */
  backlogTokens: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
  workers: number;
  /** Measured while there was a backlog; `null` before that. */
  tokensPerSecondPerWorker: number | null;
  drainTargetSeconds: number;
  desiredWorkers: number;
}

/** Tokens of a row before any row is done: a sentence or two. */
const USUAL_TOKENS_PER_ROW = 32;

/**
 * desired = ceil(backlog tokens ÷ (tokens/s of one worker × drain target)), at least 1 while there is a backlog, 0 without.
 *
 * The speed of a worker is kept from the last time it was seen, because a fleet that starts from zero has none to show.
 */
export class Scaler {
  readonly #parts: ScaleParts;
  #tokensPerSecondPerWorker: number | null = null;
  #tokensPerRow = USUAL_TOKENS_PER_ROW;

  constructor(parts: ScaleParts) {
    this.#parts = parts;
  }

  /** @throws a Redis fault when the workers cannot be counted */
  async scale(): Promise<Scale> {
    const { runs, workers: countWorkers, drainTargetSeconds, mostWorkers } = this.#parts;
    const workers = await countWorkers();
    const infos = runs();
    const sum = (read: (run: RunInfo) => number) => infos.reduce((total, run) => total + read(run), 0);
    const backlogRows = sum(({ rows }) => rows.accepted - rows.done);
    const rowsDone = sum(({ rows }) => rows.done);
    if (rowsDone > 0) this.#tokensPerRow = sum(({ tokens }) => tokens) / rowsDone;
    const tokensPerSecond = sum((run) => run.tokensPerSecond);
    if (backlogRows > 0 && workers > 0 && tokensPerSecond > 0) {
      this.#tokensPerSecondPerWorker = tokensPerSecond / workers;
    }
    const backlogTokens = Math.round(backlogRows * this.#tokensPerRow);
    return {
      backlogRows,
      backlogTokens,
      rowsPerSecond: sum((run) => run.rowsPerSecond),
      tokensPerSecond,
      workers,
      tokensPerSecondPerWorker: this.#tokensPerSecondPerWorker,
      drainTargetSeconds,
      desiredWorkers: this.#desired(backlogTokens, drainTargetSeconds, mostWorkers),
    };
  }

  #desired(backlogTokens: number, drainTargetSeconds: number, mostWorkers: number): number {
    if (backlogTokens === 0) return 0;
    const speed = this.#tokensPerSecondPerWorker;
    if (speed === null) return 1;
    return Math.min(mostWorkers, Math.max(1, Math.ceil(backlogTokens / (speed * drainTargetSeconds))));
  }
}

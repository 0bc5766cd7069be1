/** Counts the finished rows of a run and measures throughput; the run owns one. */

import { type BatchSummary, emptyVerdictCounts, type VerdictCounts } from '@embedmill/contract';
import { Pace } from './pace.ts';

const SECOND = 1000;

/** Rates cover this time: long enough to smooth batches, short enough to follow a changing fleet. */
const WINDOW_MS = 15 * SECOND;

/** Sums over the finished batches of a run. */
export class RunProgress {
  rows = 0;
  batches = 0;
  tokens = 0;
  specialTokens = 0;
  lostTokens = 0;
  /** Unknown tokens by script; '' for texts without letters. */
  readonly unknownTokens = new Map<string, number>();
  chunkedRows = 0;
  replacements = 0;
  readonly verdicts: VerdictCounts = emptyVerdictCounts();
  readonly #recent: { at: number; rows: number; tokens: number }[] = [];
  /** Work since this process started; earlier work is in the sums only. */
  readonly pace = new Pace();
  #startedAt: number | null = null;

  /** Starts the clock of the rates and of the pace, when the first part arrives; later calls have no effect. */
  start(at: number): void {
    this.#startedAt ??= at;
    this.pace.start(at);
  }

  /** Counts a batch finished at `at` (milliseconds since 1970); `null`: before this process started. */
  add(summary: BatchSummary, at: number | null): void {
    this.rows += summary.rows;
    this.batches += 1;
    this.tokens += summary.tokens;
    this.specialTokens += summary.specialTokens ?? 0;
    this.lostTokens += summary.lostTokens;
    this.replacements += summary.replacements ?? 0;
    for (const [script, tokens] of Object.entries(summary.unknownTokens ?? {})) {
      this.unknownTokens.set(script, (this.unknownTokens.get(script) ?? 0) + tokens);
    }
    this.chunkedRows += summary.chunkedRows ?? 0;
    for (const [verdict, count] of Object.entries(summary.verdicts))
      this.verdicts[verdict as keyof VerdictCounts] += count;
    if (at === null) return;
    this.#recent.push({ at, rows: summary.rows, tokens: summary.tokens });
    this.pace.add(summary.rows, at);
  }

  /** Rows and tokens per second over the last 15 s; zeros before the first batch. */
  rate(now: number): { rowsPerSecond: number; tokensPerSecond: number } {
    while (this.#recent[0] !== undefined && this.#recent[0].at < now - WINDOW_MS) this.#recent.shift();
    if (this.#startedAt === null) return { rowsPerSecond: 0, tokensPerSecond: 0 };
    const seconds = Math.max(0.25, Math.min(now - this.#startedAt, WINDOW_MS) / SECOND);
    const sum = (field: 'rows' | 'tokens') => this.#recent.reduce((total, batch) => total + batch[field], 0);
    return { rowsPerSecond: sum('rows') / seconds, tokensPerSecond: sum('tokens') / seconds };
  }
}

/** What is left of a run whose files are damaged: it is shown as failed and can be removed; `Runs` finds it at the start. */

import { join } from 'node:path';
import { emptyVerdictCounts, type RunInfo, type RunOptions, UNTREATED } from '@embedmill/contract';
import { Journal } from './journal.ts';
import type { LedgerEntry } from './ledger.ts';

/** For a run whose first record is damaged, too: nobody knows what it was asked to do. */
const UNKNOWN_OPTIONS: RunOptions = {
  name: null,
  model: 'unknown',
  precision: 'int8',
  truncate: 'end',
  ...UNTREATED,
  batchRows: 0,
  batchTokens: 0,
};

/** Nothing is written to a wreck, so that it opens again when somebody mends its files. */
export class DamagedRun {
  readonly id: string;
  readonly state = 'failed';
  /** What is damaged. */
  readonly reason: string;
  readonly #info: RunInfo;

  private constructor(reason: string, info: RunInfo) {
    this.id = info.id;
    this.reason = reason;
    this.#info = info;
  }

  /**
   * Reads what can be read of the run.
   * @param createdAt milliseconds since 1970
   */
  static async survey(folder: string, id: string, createdAt: number, reason: string): Promise<DamagedRun> {
    let options = UNKNOWN_OPTIONS;
    let [parts, accepted, rejected, batches] = [0, 0, 0, 0];
    const count = (entry: LedgerEntry) => {
      if (entry.type === 'created') options = { ...UNTREATED, ...entry.options };
      if (entry.type === 'batch') {
        batches += 1;
        accepted += entry.batch.rows;
      }
      if (entry.type === 'part') {
        parts += 1;
        rejected += entry.receipt.rejectedCount;
      }
    };
    // Gives out every record before the damage, then fails.
    const journal = await Journal.open<LedgerEntry>(join(folder, 'ledger.journal'), count).catch(() => null);
    await journal?.close();
    return new DamagedRun(reason, {
      id,
      state: 'failed',
      options,
      createdAt: new Date(createdAt).toISOString(),
      sealedAt: null,
      endedAt: null,
      error: reason,
      parts,
      rows: { accepted, rejected, done: 0 },
      batches: { total: batches, done: 0, stored: 0 },
      verdicts: emptyVerdictCounts(),
      tokens: 0,
      lostTokens: 0,
      chunkedRows: 0,
      replacements: 0,
      rowsPerSecond: 0,
      tokensPerSecond: 0,
      etaSeconds: null,
      dim: null,
      fingerprint: null,
    });
  }

  /** As of a run; counts are those before the damage. */
  info(): RunInfo {
    return this.#info;
  }
}

/** A run whose files are damaged: it is listed as failed and can be removed; `Runs` creates it at start. */

import { join } from 'node:path';
import { emptyVerdictCounts, type RunInfo, type RunOptions, UNTREATED } from '@embedmill/contract';
import { Journal } from './journal.ts';
import type { LedgerEntry } from './ledger.ts';
import { LEDGER_FILE } from './run-files.ts';

/** Options of a run whose first record is damaged too. */
export const UNKNOWN_OPTIONS: RunOptions = {
  name: null,
  model: 'unknown',
  precision: 'int8',
  truncate: 'end',
  ...UNTREATED,
  batchRows: 0,
  batchTokens: 0,
};

const READ_ONLY = {
  assertWritable: () => {
    throw new Error('the files of a damaged run are not written');
  },
};

/** Its files are never written, so that the run opens again once they are repaired. */
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
   * Reads the ledger up to the damage.
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
    // Replays every record before the damage, then fails.
    await Journal.open<LedgerEntry>(join(folder, LEDGER_FILE), count, READ_ONLY).catch(() => {});
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

  /** The run as the API shows it; the counts cover the records before the damage. */
  info(): RunInfo {
    return this.#info;
  }
}

/** A run that cannot be opened, because its files are damaged or its disk refuses them now; `Runs` creates it at start. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  asError,
  emptyVerdictCounts,
  type RunInfo,
  type RunOptions,
  type RunState,
  UNTREATED,
} from '@embedmill/contract';
import { faultOf } from '../process/faults.ts';
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
  batchRows: null,
  batchTokens: null,
};

const READ_ONLY = {
  assertWritable: () => {
    throw new Error('the files of a damaged run are not written');
  },
};

/**
 * Its files are never written, so that the run opens again once they are repaired. It is listed as `failed` if they are
 * damaged. After a passing fault of the disk it is listed as `open` with the reason as its error, whatever its state is.
 */
export class DamagedRun {
  readonly id: string;
  /** What is damaged, or what the disk refuses. */
  readonly reason: string;
  /** Whether the run may open later without a repair. */
  readonly isPassing: boolean;
  readonly #info: RunInfo;

  private constructor(reason: string, isPassing: boolean, info: RunInfo) {
    this.id = info.id;
    this.reason = reason;
    this.isPassing = isPassing;
    this.#info = info;
  }

  get state(): RunState {
    return this.#info.state;
  }

  /**
   * Reads the ledger up to the damage.
   * @param createdAt milliseconds since 1970
   * @param error why the run cannot be opened
   */
  static async survey(folder: string, id: string, createdAt: number, error: unknown): Promise<DamagedRun> {
    const isPassing = faultOf(error).duration === 'passing';
    const reason = isPassing
      ? `the run cannot be opened now, which is tried again: ${asError(error).message}`
      : asError(error).message;
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
    return new DamagedRun(reason, isPassing, {
      id,
      state: isPassing ? 'open' : 'failed',
      options,
      createdAt: new Date(createdAt).toISOString(),
      sealedAt: null,
      endedAt: null,
      error: reason,
      waitsFor: null,
      parts,
      rows: { accepted, rejected, done: 0 },
      batches: { total: batches, done: 0, stored: 0 },
      verdicts: emptyVerdictCounts(),
      tokens: 0,
      lostTokens: 0,
      specialTokens: 0,
      unknownTokens: 0,
      unknownScript: null,
      languageSignal: null,
      chunkedRows: 0,
      replacements: 0,
      rowsPerSecond: 0,
      tokensPerSecond: 0,
      etaSeconds: null,
      dim: null,
      fingerprint: null,
      bytes: await sizeOf(folder),
      keepDays: null,
      expiresAt: null,
    });
  }

  /** The run as the API shows it; the counts cover the records before the damage. */
  info(): RunInfo {
    return this.#info;
  }
}

/** Size of all files in a folder; what cannot be read does not count. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

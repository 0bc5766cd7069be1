/** Runs: what a bulk request is created with, its states, and what the API reports about it. */

import type { BadRow } from './rows.ts';
import type { Precision, Treatment, Truncate } from './treatment.ts';
import type { RowVerdict, VerdictCounts } from './verdicts.ts';

/** `bulk` for runs, `interactive` for single calls: one fleet of workers for both. */
export type Lane = 'bulk' | 'interactive';

/** The options of a run; fixed when it is created. */
export interface RunOptions extends Treatment {
  /** Display name; need not be unique. */
  name: string | null;
  /** Model that the workers must run. */
  model: string;
  precision: Precision;
  truncate: Truncate;
  /** Maximum rows per batch; `null`: sized by the measured rate of the workers. */
  batchRows: number | null;
  /** Maximum estimated tokens per batch; `null` as for the rows. */
  batchTokens: number | null;
}

/**
 * `completed`, `failed` and `cancelled` are final, except that `retry` makes a completed run `sealed` again.
 */
export type RunState = 'open' | 'sealed' | 'completed' | 'failed' | 'cancelled';

/** A row that was not accepted into the run; `line` counts from 1 within its part. */
export type RejectedRow = Pick<BadRow, 'line' | 'code' | 'message'>;

/** The response to a part; the same part gets the same response when sent again. */
export interface PartReceipt {
  part: number;
  /** Rows that are now in the run. */
  accepted: number;
  /** Rows that are not, with the reason; at most `MAX_REJECTED_SHOWN`, `rejectedCount` counts all. */
  rejected: RejectedRow[];
  rejectedCount: number;
  /** SHA-256 of the body after decompression, in hexadecimal. */
  sha256: string;
}

/** Maximum number of rejected rows listed in a receipt. */
export const MAX_REJECTED_SHOWN = 1000;

/** A run as the API shows it. Times are ISO 8601 or `null`. */
export interface RunInfo {
  id: string;
  state: RunState;
  options: RunOptions;
  createdAt: string;
  sealedAt: string | null;
  endedAt: string | null;
  /** Why the run `failed`, or why it is set aside while it is `open` or `sealed`. */
  error: string | null;
  /** What an active run waits for, such as a worker with its model; `null` if nothing is known to be missing. */
  waitsFor: string | null;
  parts: number;
  rows: { accepted: number; rejected: number; done: number };
  batches: { total: number; done: number; stored: number };
  verdicts: VerdictCounts;
  /** Tokens fed to the model, and tokens that are in no vector. */
  tokens: number;
  lostTokens: number;
  /** Those of `tokens` that frame texts and chunks, such as [CLS] and [SEP]. */
  specialTokens: number;
  /** Tokens fed to the model that its vocabulary does not know, and the script of most of them. */
  unknownTokens: number;
  unknownScript: string | null;
  /** The language signal, if more than 5 % of the tokens are unknown. */
  languageSignal: string | null;
  /** Rows whose vector is the mean of chunks. */
  chunkedRows: number;
  /** Glossary terms replaced. */
  replacements: number;
  /**
   * Over the last seconds while the run is active, over its whole time once it has ended; 0 before the first
   * batch.
   */
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Seconds until the accepted rows are done at the current rate; `null` while unknown. */
  etaSeconds: number | null;
  /**
   * Floats per vector, and the fingerprint of model and treatment (equal means comparable); `null` before the
   * first batch.
   */
  dim: number | null;
  fingerprint: string | null;
  /** Size of its files on disk. */
  bytes: number;
  /** Days for which it is kept after its end; `null` for the setting of the producer. */
  keepDays: number | null;
  /** When the producer may delete it; `null` for never, and while it is active. */
  expiresAt: string | null;
}

/** What is on the disk of a producer. */
export interface DataStorage {
  /** Size of the files of all runs. */
  runsBytes: number;
  /** Size of uploaded files and output files of the OpenAI API. */
  filesBytes: number;
  /** Free bytes on the disk; `null` while unknown. */
  freeBytes: number | null;
  /** Days for which finished runs are kept; `null`: until they are deleted. */
  keepRunsDays: number | null;
}

/** A row without a vector, or one whose vector lacks tokens. */
export interface ReportRow {
  id: string;
  line: number;
  verdict: RowVerdict;
  message: string;
  lostTokens?: number;
}

/** The backlog of a producer, the speed of its workers, and the number of workers that it needs. */
export interface Scale {
  /** Accepted rows without a vector. */
  backlogRows: number;
  /** Estimated. */
  backlogTokens: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Connected workers. */
  workers: number;
  /** Cores that the workers use, divided by those that they may use: 1 means saturated; `null` without a worker. */
  cpuSaturation: number | null;
  /** `null` until a rate is known. */
  tokensPerSecondPerWorker: number | null;
  /** Target time for the backlog, in seconds. */
  drainTargetSeconds: number;
  /** Workers that would finish within that time. */
  desiredWorkers: number;
}

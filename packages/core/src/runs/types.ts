/** The words of a run: its options, its states and what it says about itself. */

import type { Treatment } from '../batch/treatment.ts';
import type { Precision, RowVerdict, Truncate, VerdictCounts } from '../batch/types.ts';
import type { BadRow } from '../rows/index.ts';

/** What a run was asked to do; fixed when it is created. */
export interface RunOptions extends Treatment {
  /** A name for people; may repeat. */
  name: string | null;
  /** Model that the workers must have. */
  model: string;
  precision: Precision;
  truncate: Truncate;
  /** Most rows of a batch. */
  batchRows: number;
  /** Most estimated tokens of a batch. */
  batchTokens: number;
}

/** @see Run for what enters and leaves each state */
export type RunState = 'open' | 'sealed' | 'completed' | 'failed' | 'cancelled';

/** A row that is not in the run. */
export type RejectedRow = Pick<BadRow, 'line' | 'code' | 'message'>;

/** The answer to a part, kept so that the same part again gets the same answer. */
export interface PartReceipt {
  part: number;
  /** Rows that are in the run now. */
  accepted: number;
  /** Rows that are not, with the reason; at most `MAX_REJECTED_SHOWN`, `rejectedCount` counts all. */
  rejected: RejectedRow[];
  rejectedCount: number;
  /** SHA-256 of the body after decompression, in hexadecimal. */
  sha256: string;
}

/** A run as the API shows it. Times are ISO 8601 or `null`. */
export interface RunInfo {
  id: string;
  state: RunState;
  options: RunOptions;
  createdAt: string;
  sealedAt: string | null;
  endedAt: string | null;
  /** Why the run `failed`. */
  error: string | null;
  parts: number;
  rows: { accepted: number; rejected: number; done: number };
  batches: { total: number; done: number; stored: number };
  verdicts: VerdictCounts;
  /** Tokens that went through the model, and those cut off by truncation. */
  tokens: number;
  lostTokens: number;
  /** Rows whose vector is the mean of chunks. */
  chunkedRows: number;
  /** Terms of the glossary that were replaced. */
  replacements: number;
  /** Of the last seconds while the run is at work, over its whole time once it has ended; 0 before the first batch. */
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Seconds to the end of the accepted rows at the present rate; `null` while unknown. */
  etaSeconds: number | null;
  /** Floats per vector, and the fingerprint of model and treatment: equal means comparable; `null` before the first batch. */
  dim: number | null;
  fingerprint: string | null;
}

/** A row without a vector, or with one that misses tokens. */
export interface ReportRow {
  id: string;
  line: number;
  verdict: RowVerdict;
  message: string;
  lostTokens?: number;
}

/** Floats per vector of the built-in model: what is expected of a run until its first result is there. */
export const USUAL_DIM = 384;

/** Rejected rows that a receipt lists. */
export const MAX_REJECTED_SHOWN = 1000;

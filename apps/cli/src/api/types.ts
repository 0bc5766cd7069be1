/** What the producer's API says and takes, as far as the command uses it. */

import type { PartReceipt, Precision, RunInfo, Truncate } from '@embedmill/core';

/** What a run is created with; the producer fills in what is left out. */
export interface NewRun {
  name?: string;
  model?: string;
  precision: Precision;
  truncate: Truncate;
  batchRows?: number;
}

/** A receipt as `GET /v1/runs/:id/parts` lists it. */
export type KnownPart = Pick<PartReceipt, 'part' | 'accepted' | 'rejectedCount' | 'sha256'>;

/** Formats of results. */
export type ResultFormat = 'npy' | 'jsonl' | 'parquet';

/** How JSON lines write a vector. */
export type VectorEncoding = 'float' | 'base64';

/** One answer of `GET /v1/runs`. */
export interface RunPage {
  runs: RunInfo[];
  /** What to ask for `after` to get the next page; `null` on the last one. */
  next: string | null;
}

/** `GET /v1/scale`, as far as the command uses it. */
export interface Scale {
  /** Accepted rows without a vector. */
  backlogRows: number;
  rowsPerSecond: number;
  /** Workers that are connected. */
  workers: number;
  desiredWorkers: number;
}

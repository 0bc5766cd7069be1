/** What a run looks like as a whole, for charts: its pace and the lengths of its texts; the API gives it out. */

import type { PaceSeries } from './pace.ts';
import type { Run } from './run.ts';

/** Texts of a similar length. */
export interface LengthBucket {
  /** Least tokens of the texts; the next bucket begins where this one ends, the last one has no end. */
  fromTokens: number;
  rows: number;
}

/** Of the batches on disk. */
export interface RunStatistics {
  pace: PaceSeries;
  /** By the tokens of the whole text, those cut off included; up to the last bucket with a text. */
  lengths: LengthBucket[];
  /** Rows that the buckets count. */
  rows: number;
}

/** Width of a bucket, and where the last one begins: twice the 256 tokens that the built-in model reads. */
const BUCKET_TOKENS = 8;
const LAST_FROM = 512;

/** Reads 8 bytes a row, so a million rows take less than a second. @throws {CorruptError} when a shard is damaged */
export async function readStatistics(run: Run): Promise<RunStatistics> {
  const { shards, ledger } = run.archive;
  const counts: number[] = [];
  let rows = 0;
  // Without a model there is no result yet.
  for await (const lengths of ledger.model === null ? [] : shards.tokenCounts(ledger.model.dim)) {
    rows += lengths.length;
    for (const tokens of lengths) {
      const bucket = Math.floor(Math.min(tokens, LAST_FROM) / BUCKET_TOKENS);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
  const lengths = Array.from(counts, (count = 0, i) => ({ fromTokens: i * BUCKET_TOKENS, rows: count }));
  return { pace: run.pace, lengths, rows };
}

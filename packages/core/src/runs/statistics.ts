/** Statistics of a run for charts: throughput over time and text lengths; the API serves them. */

import type { PaceSeries } from './pace.ts';
import type { Run } from './run.ts';

/** Texts of similar length. */
export interface LengthBucket {
  /** Minimum tokens; the bucket ends where the next one starts, and the last one is open. */
  fromTokens: number;
  rows: number;
}

/** Statistics of the batches on disk. */
export interface RunStatistics {
  pace: PaceSeries;
  /** By the tokens of the whole text, including those cut off; up to the last bucket that is not empty. */
  lengths: LengthBucket[];
  /** Rows in all buckets. */
  rows: number;
}

/** Width of a bucket, and start of the last one: twice the 256 tokens that the built-in model reads. */
const BUCKET_TOKENS = 8;
const LAST_FROM = 512;

/**
 * Reads 8 bytes per row, so a million rows take less than a second.
 * @throws {CorruptError} when a shard is damaged
 */
export async function readStatistics(run: Run): Promise<RunStatistics> {
  const release = await run.hold();
  try {
    return await statisticsOf(run);
  } finally {
    release();
  }
}

async function statisticsOf(run: Run): Promise<RunStatistics> {
  const { shards, ledger } = run.files;
  const counts: number[] = [];
  let rows = 0;
  // There is no result before the model is known.
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

/** What a run needs to embed its failed rows again: which they are, and how new results take the place of old ones. */

import { rowView } from '@embedmill/contract';
import { decodeBatchResult, decodeOutcomes, encodeBatchResult } from '../redis/batch/result.ts';
import type { Ledger } from './ledger.ts';
import type { RowLog } from './row-log.ts';
import type { ShardIndex } from './shards/shard-index.ts';

/** Rows of one batch, by their place in it. */
export type BatchRows = [batch: number, rows: number[]];

/**
 * Rows that failed and have a text; those that were bad before they came would fail again.
 * @throws {CorruptError} when a file of the run is damaged
 */
export async function findFailedRows(archive: {
  ledger: Ledger;
  rowLog: RowLog;
  shards: ShardIndex;
}): Promise<BatchRows[]> {
  const { ledger, rowLog, shards } = archive;
  const found: BatchRows[] = [];
  for (const { batch, summary } of shards.summaries()) {
    const { bad, span } = ledger.batches[batch]!;
    if (summary.verdicts.failed <= bad) continue;
    const outcomes = decodeOutcomes((await shards.read(batch))!);
    const kept = await rowLog.read(span);
    const rows = outcomes.flatMap(({ verdict }, row) =>
      verdict === 'failed' && kept[row]?.[2] !== null ? [row] : [],
    );
    if (rows.length > 0) found.push([batch, rows]);
  }
  return found;
}

/** The stored result of a batch with `rows` of it replaced by those of `retried`, which holds nothing else. */
export function replaceRows(
  stored: Uint8Array,
  rows: readonly number[],
  retried: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const whole = decodeBatchResult(stored);
  const { vectors, outcomes, dim } = decodeBatchResult(retried);
  for (const [i, row] of rows.entries()) {
    whole.vectors.set(rowView(vectors, dim, i), row * dim);
    whole.outcomes[row] = outcomes[i]!;
  }
  return encodeBatchResult(whole);
}

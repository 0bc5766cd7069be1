/** Retrying the failed rows of a run: finds them, and merges their new results into the stored ones. */

import { rowView } from '@embedmill/contract';
import { decodeBatchResult, decodeOutcomes, encodeBatchResult } from '../redis/batch/result.ts';
import type { BatchRows } from './ledger.ts';
import type { RunFiles } from './run-files.ts';

/**
 * Failed rows with a text; rows that were rejected on input would fail again.
 * @throws {CorruptError} when a file of the run is damaged
 */
export async function findFailedRows({ ledger, rowLog, shards }: RunFiles): Promise<BatchRows[]> {
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

/**
 * The stored result of a batch with some rows replaced.
 * @param stored encoded result of the whole batch
 * @param rows positions of the retried rows in the batch
 * @param retried encoded result of these rows alone, in the same order
 * @throws {CorruptError} `corrupt-result`
 */
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

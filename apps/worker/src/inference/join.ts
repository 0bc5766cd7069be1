/**
 * Joins the results of pieces into one; used by the pool for interactive calls and for batches that were cut.
 */

import { type BatchResult, decodeBatchResult } from '@embedmill/core/batch';

/**
 * Decodes the results and concatenates their rows in the given order.
 * @param parts at least one encoded result, all of the same model
 * @throws {CorruptError} `corrupt-result`
 */
export function joinResults(parts: readonly Uint8Array[]): BatchResult {
  const results = parts.map(decodeBatchResult);
  const first = results[0];
  if (first === undefined) throw new RangeError('joinResults expects at least one part, got none');
  const rows = results.reduce((sum, result) => sum + result.rows, 0);
  const vectors = new Float32Array(rows * first.dim);
  let offset = 0;
  for (const result of results) {
    vectors.set(result.vectors, offset);
    offset += result.vectors.length;
  }
  // A row that crashed its threads states none.
  const specialTokens = Math.max(...results.map((result) => result.specialTokens ?? 0));
  return { ...first, specialTokens, rows, vectors, outcomes: results.flatMap(({ outcomes }) => outcomes) };
}

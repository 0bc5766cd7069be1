/** The `batch` object of the OpenAI API, with additional fields of our own. */

import type { OpenAiBatch } from './openai-batch.ts';
import type { LineCounts } from './types.ts';

/** The object; the additional fields are `run_id`, `rows`, `rows_per_second` and `eta_seconds`. */
export function batchObject(batch: OpenAiBatch) {
  const { created, validated, stopping, finalizing, ended } = batch.ledger;
  const { request } = created;
  const info = batch.run?.info();
  const isInProgress = batch.state === 'in_progress';
  const endedAs = (state: string) => (ended?.state === state ? seconds(ended.at) : null);
  const faults = ended?.faults ?? [];
  return {
    id: batch.id,
    object: 'batch',
    endpoint: request.endpoint,
    model: validated?.model ?? null,
    errors: faults.length === 0 ? null : { object: 'list', data: faults },
    input_file_id: request.inputFileId,
    completion_window: request.completionWindow,
    status: batch.state,
    output_file_id: ended?.outputFileId ?? null,
    error_file_id: ended?.errorFileId ?? null,
    created_at: seconds(created.at),
    in_progress_at: seconds(validated?.at),
    expires_at: seconds(created.expiresAt),
    finalizing_at: seconds(finalizing?.at),
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: stopping?.why === 'cancelled' ? seconds(stopping.at) : null,
    cancelled_at: endedAs('cancelled'),
    request_counts: countsOf(batch),
    usage: usageOf(ended?.tokens ?? 0),
    metadata: request.metadata,
    run_id: batch.ledger.run ?? null,
    rows: { total: validated?.rows ?? 0, done: info?.rows.done ?? 0 },
    rows_per_second: info?.rowsPerSecond ?? 0,
    eta_seconds: isInProgress ? etaSeconds(batch) : null,
  };
}

/**
 * Requests by outcome. An ended batch has counted them one by one. Before that they are derived from rows:
 * exact if every request has one text, otherwise based on the average number of texts per request.
 */
function countsOf(batch: OpenAiBatch): LineCounts {
  const { validated, ended } = batch.ledger;
  if (ended !== undefined) return ended.counts;
  if (validated === undefined) return { total: 0, completed: 0, failed: 0 };
  const { lines, rows, refused } = validated;
  const verdicts = batch.run?.info().verdicts;
  if (verdicts === undefined || rows === 0) return { total: lines, completed: 0, failed: refused };
  const perRow = (lines - refused) / rows;
  return {
    total: lines,
    completed: Math.floor((verdicts.ok + verdicts.truncated) * perRow),
    failed: refused + Math.floor((verdicts.empty + verdicts.failed) * perRow),
  };
}

/**
 * Seconds until all texts of the file are embedded, whether or not they are in the run yet; `null` if
 * unknown.
 */
function etaSeconds({ ledger, run }: OpenAiBatch): number | null {
  const info = run?.info();
  if (info === undefined || ledger.validated === undefined || info.rowsPerSecond === 0) return null;
  return (ledger.validated.rows - info.rows.done) / info.rowsPerSecond;
}

function usageOf(tokens: number) {
  return {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens,
  };
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.floor(ms / 1000);
}

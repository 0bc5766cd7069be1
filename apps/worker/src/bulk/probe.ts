/**
 * Isolates rows that crash the whole process (a native abort, not an exception), the second layer that
 * `inference/bisect.ts` describes; `batch-work.ts` calls it for a batch that crashed workers.
 *
 * The rows are embedded one by one, with nothing else in the process, and Redis records which worker probes
 * which row. If the process dies, the record stays, and the next worker counts it; the record of a worker
 * that is still alive does not count. One death may be chance (a machine that was switched off), two deaths
 * at the same row are not: the row gets the verdict `failed` and is never embedded again. So a batch costs the
 * deaths that made it suspect plus two for each poison row.
 */

import type { RowOutcome, StoredGlossary, Treatment } from '@embedmill/contract';
import {
  decodeBatchResult,
  encodeBatchPayload,
  encodeBatchResult,
  readBatchPayload,
} from '@embedmill/core/batch';
import type { BatchJob, WorkerExchange } from '@embedmill/core/redis';
import type { InferencePool } from '../inference/index.ts';

/** Number of processes that a batch may crash before its rows are probed one by one. */
export const SUSPECT_AFTER_STALLS = 2;

/** Number of processes that a row crashes before it counts as poison. */
const DEATHS_PER_POISON_ROW = 2;

/** Number of deaths without a recorded row before the whole batch fails. */
const MAX_UNEXPLAINED_DEATHS = 4;

/** Number of deaths at rows of one batch before the whole batch fails. */
const MAX_DEATHS = 50;

/** Dependencies of `probeRows`. */
export interface ProbeDeps {
  exchange: Pick<WorkerExchange, 'beginProbe' | 'markProbedRow' | 'endProbe'>;
  pool: Pick<InferencePool, 'embedBatch'>;
  /** Id of this worker process. */
  worker: string;
  /** Vector dimension and model fingerprint for the header of the result. */
  identity: { dim: number; fingerprint: string };
  treatment: Treatment<StoredGlossary>;
  /** Repeats a step while Redis is unreachable. */
  retryUntil: <Value>(step: () => Promise<Value>) => Promise<Value>;
  /** Called for each row that earlier probes found to be poison. */
  onPoisonRow: (row: number) => void;
}

/**
 * Embeds a suspect batch row by row. The caller must embed nothing else in this process at the same time.
 * @returns encoded result of the batch, or `null` if it crashes workers and no single row explains the
 * crashes
 */
export async function probeRows(
  job: BatchJob,
  payload: Uint8Array<ArrayBuffer>,
  { exchange, pool, worker, identity, treatment, retryUntil, onPoisonRow }: ProbeDeps,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const { run, batch, precision, truncate } = job;
  const { unexplained, deaths } = await retryUntil(() => exchange.beginProbe(run, batch, worker));
  const explained = [...deaths.values()].reduce((sum, count) => sum + count, 0);
  if (unexplained > MAX_UNEXPLAINED_DEATHS || explained > MAX_DEATHS) return null;

  const { rows, text } = readBatchPayload(payload);
  const { dim, fingerprint } = identity;
  const vectors = new Float32Array(rows * dim);
  const outcomes: RowOutcome[] = [];
  for (let row = 0; row < rows; row++) {
    const count = deaths.get(row) ?? 0;
    if (count >= DEATHS_PER_POISON_ROW) {
      onPoisonRow(row);
      const message = `this text crashed ${count} worker processes that were embedding only this text`;
      outcomes.push({ verdict: 'failed', tokens: 0, lostTokens: 0, message });
      continue;
    }
    await retryUntil(() => exchange.markProbedRow(run, batch, worker, row));
    try {
      const payload = encodeBatchPayload([text(row)]);
      const result = decodeBatchResult(
        await pool.embedBatch({ payload, batch, precision, truncate, treatment }),
      );
      vectors.set(result.vectors, row * dim);
      outcomes.push(result.outcomes[0]!);
    } catch (error) {
      // The process is alive, so the row did not cause this error.
      await retryUntil(() => exchange.endProbe(run, batch, worker));
      throw error;
    }
  }
  return encodeBatchResult({ batch, rows, dim, precision, fingerprint, vectors, outcomes });
}

/**
 * Finds the rows of a batch that end the whole process (a native abort, not an exception); batch-work.ts calls it for a
 * batch that workers died over.
 *
 * The rows are embedded one by one, alone in the process, and Redis knows which worker tries which one. A process that dies
 * leaves that mark, and the next worker counts it; the mark of a worker that still lives counts for nothing. One death may be
 * chance (a machine that was switched off), two over the same row are
 * not: the row gets the verdict `failed` and is never tried again. So a batch costs the deaths that made it suspect and
 * two for each row that kills.
 */

import type { RowOutcome } from '@embedmill/contract';
import {
  decodeBatchResult,
  encodeBatchPayload,
  encodeBatchResult,
  readBatchPayload,
} from '@embedmill/core/batch';
import type { BatchJob, WorkerExchange } from '@embedmill/core/redis';
import type { InferencePool, ThreadTreatment } from '../inference/index.ts';

/** Deaths of processes over a batch after which its rows are tried one by one. */
export const SUSPECT_AFTER_STALLS = 2;

/** Deaths over one row that make it the cause. */
const DEATHS_OF_A_GUILTY_ROW = 2;

/** Deaths without any row to blame before the whole batch is to blame. */
const MAX_UNEXPLAINED_DEATHS = 4;

/** Deaths over rows of one batch before the whole batch is to blame. */
const MAX_DEATHS = 50;

/** What the trials need. */
export interface TrialDeps {
  exchange: Pick<WorkerExchange, 'beginProbe' | 'markProbedRow' | 'endProbe'>;
  pool: Pick<InferencePool, 'embedBatch'>;
  /** Id of this worker process. */
  worker: string;
  /** What results say of the model. */
  identity: { dim: number; fingerprint: string };
  treatment: ThreadTreatment;
  /** Waits out a Redis that is away. */
  retryUntil: <Value>(step: () => Promise<Value>) => Promise<Value>;
  /** Told about each row that was found guilty before. */
  onGuilty: (row: number) => void;
}

/**
 * Embeds a suspect batch row by row. Nothing else may be embedded in this process meanwhile.
 * @returns the result of the batch, or `null` when workers die of it and none of its rows is to blame
 */
export async function tryRows(
  job: BatchJob,
  payload: Uint8Array<ArrayBuffer>,
  { exchange, pool, worker, identity, treatment, retryUntil, onGuilty }: TrialDeps,
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
    if (count >= DEATHS_OF_A_GUILTY_ROW) {
      onGuilty(row);
      const message = `this text ended ${count} worker processes that embedded nothing but it`;
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
      // We are alive, so whatever ends this try is no guilt of the row.
      await retryUntil(() => exchange.endProbe(run, batch, worker));
      throw error;
    }
  }
  return encodeBatchResult({ batch, rows, dim, precision, fingerprint, vectors, outcomes });
}

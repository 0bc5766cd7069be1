/** Reads a run's vectors and verdicts back from its files, in row order; the API streams them. */

import { decodeBatchResult } from '../batch/result.ts';
import type { RowOutcome } from '../batch/types.ts';
import { CorruptError } from '../errors.ts';
import type { VectorRows } from '../sinks/index.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { Run } from './run.ts';
import type { ReportRow } from './types.ts';

/** One batch with all that is known of its rows. */
interface ReadBatch {
  /** Number of its first row in the run, from 1: the id of rows that came without one. */
  firstRow: number;
  kept: KeptRow[];
  outcomes: RowOutcome[];
  vectors: Float32Array;
  dim: number;
}

/** Batches in the order of their rows: by part, and as they came within a part. */
export function batchesInOrder(ledger: Ledger): number[] {
  return [...ledger.batchesOfPart.keys()]
    .sort((a, b) => a - b)
    .flatMap((part) => ledger.batchesOfPart.get(part) ?? []);
}

/**
 * The vectors of a run whose batches are all stored, in row order.
 * @throws {CorruptError} when a file is not what was written, or a batch is missing
 */
export async function* readResults(run: Run): AsyncIterable<VectorRows> {
  for await (const { firstRow, kept, outcomes, vectors, dim } of readBatches(run)) {
    yield {
      ids: kept.map((row, i) => row[0] ?? String(firstRow + i)),
      dim,
      vectors,
      present: Uint8Array.from(outcomes, ({ verdict }) =>
        verdict === 'ok' || verdict === 'truncated' ? 1 : 0,
      ),
    };
  }
}

/** Rows without a vector, in row order, with the reason; with `truncated` also those that miss tokens. */
export async function* readReport(run: Run, include: { truncated: boolean }): AsyncIterable<ReportRow> {
  for await (const { firstRow, kept, outcomes } of readBatches(run)) {
    for (const [i, row] of kept.entries()) {
      const { verdict, lostTokens, message } = outcomes[i]!;
      if (verdict === 'ok' || (verdict === 'truncated' && !include.truncated)) continue;
      const [id, line] = row;
      const shared = { id: id ?? String(firstRow + i), line, verdict };
      if (verdict === 'truncated')
        yield {
          ...shared,
          message: `${lostTokens} tokens beyond the limit of the model were cut off`,
          lostTokens,
        };
      else yield { ...shared, message: message ?? 'the text is empty' };
    }
  }
}

async function* readBatches(run: Run): AsyncIterable<ReadBatch> {
  const { ledger, rowLog, shelf } = run.archive;
  let firstRow = 1;
  for (const batch of batchesInOrder(ledger)) {
    const bytes = await shelf.read(batch);
    if (bytes === null)
      throw new CorruptError('missing-batch', `batch ${batch} of run ${run.id} is in no shard`);
    const { outcomes, vectors, dim } = decodeBatchResult(bytes);
    const kept = await rowLog.read(ledger.batches[batch]!.span);
    yield {
      firstRow,
      kept,
      outcomes: outcomes.map((outcome, i) => judgeRow(kept[i], outcome)),
      vectors,
      dim,
    };
    firstRow += kept.length;
  }
}

/** A row that was bad before it came failed for the reason it came with. */
function judgeRow(kept: KeptRow | undefined, outcome: RowOutcome): RowOutcome {
  if (kept === undefined || kept[2] !== null) return outcome;
  return { verdict: 'failed', tokens: 0, lostTokens: 0, message: `${kept[3]}: ${kept[4]}` };
}

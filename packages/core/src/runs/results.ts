/** Reads a run's vectors and verdicts back from its files, in row order; the API streams them. */

import {
  BUILT_IN_DIM,
  CorruptError,
  hasVector,
  type ReportRow,
  type RowOutcome,
  type VectorRows,
} from '@embedmill/contract';
import type { OutputShape } from '../formats/sinks/index.ts';
import { type BatchResult, decodeBatchResult } from '../redis/batch/result.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { Run } from './run.ts';

/** Where a batch stands in the output. */
interface PlacedBatch {
  batch: number;
  /** Rows before it. */
  start: number;
}

/** Batches in the order of their rows: by part, and as they came within a part. */
function* placedBatches(ledger: Ledger): Generator<PlacedBatch> {
  let start = 0;
  for (const part of [...ledger.batchesOfPart.keys()].sort((a, b) => a - b)) {
    for (const batch of ledger.batchesOfPart.get(part) ?? []) {
      yield { batch, start };
      start += ledger.batches[batch]!.rows;
    }
  }
}

/** The size of a run's output. Vectors of a run without any batch have the dimension of the built-in model. */
export function resultsShape(run: Run): OutputShape {
  const { ledger } = run.archive;
  return { rows: ledger.acceptedRows, dim: ledger.model?.dim ?? BUILT_IN_DIM };
}

/**
 * The vectors of a run whose batches are all stored, in row order.
 * @param fromRow 0-based; rows before it are left out, and batches that hold no others are not read. Default 0
 * @throws {CorruptError} when a file is not what was written, or a batch is missing
 */
export async function* readResults(run: Run, fromRow = 0): AsyncGenerator<VectorRows> {
  const { ledger } = run.archive;
  for (const { batch, start } of placedBatches(ledger)) {
    const skipped = Math.max(0, fromRow - start);
    if (skipped >= ledger.batches[batch]!.rows) continue;
    const { outcomes, vectors, dim } = await readResult(run, batch);
    const kept = await readKept(run, batch);
    yield {
      ids: kept.slice(skipped).map((row, i) => idOf(row, start + skipped + i)),
      dim,
      vectors: vectors.subarray(skipped * dim),
      present: Uint8Array.from(outcomes.slice(skipped), ({ verdict }, i) =>
        kept[skipped + i]?.[2] !== null && hasVector(verdict) ? 1 : 0,
      ),
    };
  }
}

/** What became of the rows of one batch. */
export interface FinishedRows {
  rows: number;
  /** `null` until the batch is stored; then rows × `dim` floats and an outcome per row. */
  result: { dim: number; vectors: Float32Array; outcomes: RowOutcome[] } | null;
}

/**
 * Every row of a run that has come in so far, in row order, whether or not it is done; works for a run in any state.
 * @throws {CorruptError} when a file is not what was written
 */
export async function* readFinished(run: Run): AsyncGenerator<FinishedRows> {
  const { ledger, shards } = run.archive;
  for (const { batch } of placedBatches(ledger)) {
    const { rows } = ledger.batches[batch]!;
    const bytes = ledger.retries.has(batch) ? null : await shards.read(batch);
    if (bytes === null) {
      yield { rows, result: null };
      continue;
    }
    const { dim, vectors, outcomes } = decodeBatchResult(bytes);
    const kept = await readKept(run, batch);
    yield {
      rows,
      result: { dim, vectors, outcomes: outcomes.map((outcome, i) => judgeRow(kept[i]!, outcome)) },
    };
  }
}

/** The ids alone, in row order: vectors are not read. */
export async function* readIds(run: Run): AsyncGenerator<{ ids: readonly string[] }> {
  for (const { batch, start } of placedBatches(run.archive.ledger)) {
    yield { ids: (await readKept(run, batch)).map((row, i) => idOf(row, start + i)) };
  }
}

/** Rows without a vector, in row order, with the reason; with `truncated` also those that miss tokens. */
export async function* readReport(run: Run, include: { truncated: boolean }): AsyncGenerator<ReportRow> {
  for (const { batch, start } of placedBatches(run.archive.ledger)) {
    const { outcomes } = await readResult(run, batch);
    for (const [i, row] of (await readKept(run, batch)).entries()) {
      const { verdict, lostTokens, message } = judgeRow(row, outcomes[i]!);
      if (verdict === 'ok' || (verdict === 'truncated' && !include.truncated)) continue;
      const shared = { id: idOf(row, start + i), line: row[1], verdict };
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

/** A row as it was given. */
export interface RowText {
  /** 0-based place in the output. */
  row: number;
  id: string;
  /** `null` for a row that came without one. */
  text: string | null;
}

/** The texts of these rows (0-based), in this order; rows beyond the end are left out. Each batch is read once. */
export async function readTexts(run: Run, rows: readonly number[]): Promise<RowText[]> {
  const wanted = new Set(rows);
  const found = new Map<number, RowText>();
  for (const { batch, start } of placedBatches(run.archive.ledger)) {
    const end = start + run.archive.ledger.batches[batch]!.rows;
    const here = [...wanted].filter((row) => row >= start && row < end);
    if (here.length === 0) continue;
    const kept = await readKept(run, batch);
    for (const row of here) {
      const given = kept[row - start]!;
      found.set(row, { row, id: idOf(given, row), text: given[2] });
    }
  }
  return rows.flatMap((row) => found.get(row) ?? []);
}

async function readResult(run: Run, batch: number): Promise<BatchResult> {
  const bytes = await run.archive.shards.read(batch);
  if (bytes === null)
    throw new CorruptError('missing-batch', `batch ${batch} of run ${run.id} is in no shard`);
  return decodeBatchResult(bytes);
}

function readKept(run: Run, batch: number): Promise<KeptRow[]> {
  const { ledger, rowLog } = run.archive;
  return rowLog.read(ledger.batches[batch]!.span);
}

/** A row that came without an id is called by its number, from 1. */
function idOf(kept: KeptRow, row: number): string {
  return kept[0] ?? String(row + 1);
}

/** A row that was bad before it came failed for the reason it came with. */
function judgeRow(kept: KeptRow, outcome: RowOutcome): RowOutcome {
  if (kept[2] !== null) return outcome;
  return { verdict: 'failed', tokens: 0, lostTokens: 0, message: `${kept[3]}: ${kept[4]}` };
}

/** Reads the output of a run from its files, in row order: vectors, outcomes, ids, texts, report. */

import {
  BUILT_IN_DIM,
  CorruptError,
  hasVector,
  type MissingRow,
  type ReportRow,
  ROW_VERDICTS,
  type RowColumns,
  type RowOutcome,
  type VectorBlock,
  type VectorRows,
} from '@embedmill/contract';
import type { OutputShape } from '../formats/sinks/types.ts';
import { type BatchResult, decodeBatchResult, decodeOutcomes } from '../redis/batch/result.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { Run } from './run.ts';

/** Why a row with the verdict `empty` has no vector. */
const EMPTY_TEXT = 'the text is empty';

/** Position of a batch in the output. */
interface PlacedBatch {
  batch: number;
  /** Rows before the batch. */
  start: number;
}

/** Batches in the order of their rows: by part number, and within a part in the order of arrival. */
function* placedBatches(ledger: Ledger): Generator<PlacedBatch> {
  let start = 0;
  for (const part of [...ledger.batchesOfPart.keys()].sort((a, b) => a - b)) {
    for (const batch of ledger.batchesOfPart.get(part) ?? []) {
      yield { batch, start };
      start += ledger.batches[batch]!.rows;
    }
  }
}

/** Size of a run's output. A run without results has the dimension of the built-in model. */
export function resultsShape(run: Run): OutputShape & { readonly rows: number } {
  const { rows, dim } = run.info();
  return { rows: rows.accepted, dim: dim ?? BUILT_IN_DIM };
}

/**
 * The vectors of a completed run in row order, one batch at a time.
 * @param fromRow first row, 0-based; batches before it are not read. Default 0
 * @throws {CorruptError} when a file is damaged or a batch is missing
 */
export async function* readResults(run: Run, fromRow = 0): AsyncGenerator<VectorRows> {
  yield* whileHeld(run, () => vectorsOf(run, fromRow));
}

async function* vectorsOf(run: Run, fromRow: number): AsyncGenerator<VectorRows> {
  const { ledger } = run.files;
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

/** Maximum bytes of vectors per block, or one row: what a reader has to receive between two cuts of its connection. */
const BLOCK_BYTES = 128 * 1024;

/**
 * The rows of one stored part with their vectors, in small blocks; see `Run.isPartStored`.
 * @param fromRow first row in the part, 0-based; batches before it are not read. Default 0
 * @throws {CorruptError} when a file is damaged or a batch is missing
 */
export async function* readPart(run: Run, part: number, fromRow = 0): AsyncGenerator<VectorBlock> {
  const { batches, batchesOfPart } = run.files.ledger;
  let start = 0;
  for (const batch of batchesOfPart.get(part) ?? []) {
    const skipped = Math.max(0, fromRow - start);
    start += batches[batch]!.rows;
    if (skipped >= batches[batch]!.rows) continue;
    const { outcomes, vectors, dim } = await readResult(run, batch);
    const kept = await readKept(run, batch);
    const missing: MissingRow[] = [];
    for (const [row, outcome] of outcomes.entries()) {
      const { verdict, message } = finalOutcome(kept[row]!, outcome);
      if (!hasVector(verdict))
        missing.push({ row, line: kept[row]![1], verdict, message: message ?? EMPTY_TEXT });
    }
    const step = Math.max(1, Math.floor(BLOCK_BYTES / (4 * dim)));
    for (let first = skipped; first < kept.length; first += step) {
      const end = first + step;
      yield {
        ids: kept.slice(first, end).map(([id]) => id),
        dim,
        vectors: vectors.subarray(first * dim, end * dim),
        missing: missing
          .filter(({ row }) => row >= first && row < end)
          .map((one) => ({ ...one, row: one.row - first })),
      };
    }
  }
}

/** The rows of one batch and, once it is stored, their vectors. */
export interface FinishedRows {
  rows: number;
  /** `null` until the batch is stored; then rows × `dim` floats and one outcome per row. */
  result: { dim: number; vectors: Float32Array; outcomes: RowOutcome[] } | null;
}

/**
 * Every row that has been accepted so far, in row order, one batch at a time, done or not; works in any state
 * of the run.
 * @throws {CorruptError} when a file is damaged
 */
export async function* readFinished(run: Run): AsyncGenerator<FinishedRows> {
  yield* whileHeld(run, () => finishedOf(run));
}

async function* finishedOf(run: Run): AsyncGenerator<FinishedRows> {
  const { ledger, shards } = run.files;
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
      result: { dim, vectors, outcomes: outcomes.map((outcome, i) => finalOutcome(kept[i]!, outcome)) },
    };
  }
}

/**
 * Ids in row order, one batch at a time; vectors are not read.
 * @throws {CorruptError} when a file is damaged
 */
export async function* readIds(run: Run): AsyncGenerator<{ ids: readonly string[] }> {
  yield* whileHeld(run, () => idsOf(run));
}

async function* idsOf(run: Run): AsyncGenerator<{ ids: readonly string[] }> {
  for (const { batch, start } of placedBatches(run.files.ledger)) {
    yield { ids: (await readKept(run, batch)).map((row, i) => idOf(row, start + i)) };
  }
}

/**
 * Rows without a vector and the reason, in row order; on request also truncated rows.
 * @throws {CorruptError} when a file is damaged or a batch is missing
 */
export async function* readReport(run: Run, include: { truncated: boolean }): AsyncGenerator<ReportRow> {
  yield* whileHeld(run, () => reportOf(run, include));
}

async function* reportOf(run: Run, include: { truncated: boolean }): AsyncGenerator<ReportRow> {
  for (const { batch, start } of placedBatches(run.files.ledger)) {
    const { outcomes } = await readResult(run, batch);
    for (const [i, row] of (await readKept(run, batch)).entries()) {
      const { verdict, lostTokens, message } = finalOutcome(row, outcomes[i]!);
      if (verdict === 'ok' || (verdict === 'truncated' && !include.truncated)) continue;
      const shared = { id: idOf(row, start + i), line: row[1], verdict };
      if (verdict === 'truncated')
        yield {
          ...shared,
          message: `${lostTokens} tokens beyond the limit of the model were cut off`,
          lostTokens,
        };
      else yield { ...shared, message: message ?? EMPTY_TEXT };
    }
  }
}

/** A row as the client sent it. */
export interface RowText {
  /** 0-based position in the output. */
  row: number;
  id: string;
  /** `null` for a row that was rejected on input. */
  text: string | null;
  /** The kept values of its columns; empty if none are kept. */
  columns: RowColumns;
}

const NO_COLUMNS: RowColumns = {};

/**
 * All rows as the client sent them, in row order, one batch at a time; vectors are not read.
 * @throws {CorruptError} when a file is damaged
 */
export async function* readRowsSent(run: Run): AsyncGenerator<RowText[]> {
  yield* whileHeld(run, () => rowsSentOf(run));
}

async function* rowsSentOf(run: Run): AsyncGenerator<RowText[]> {
  for (const { batch, start } of placedBatches(run.files.ledger)) {
    yield (await readKept(run, batch)).map((kept, i) => rowTextOf(kept, start + i));
  }
}

/**
 * Verdicts in row order, one batch at a time: indices into `ROW_VERDICTS`. Results are read only for batches in which
 * not every row is `ok`.
 * @throws {CorruptError} when a file is damaged or a batch is missing
 */
export async function* readVerdicts(run: Run): AsyncGenerator<Uint8Array> {
  yield* whileHeld(run, () => verdictsOf(run));
}

async function* verdictsOf(run: Run): AsyncGenerator<Uint8Array> {
  const { ledger, shards } = run.files;
  const whole = new Set<number>();
  for (const { batch, summary } of shards.summaries())
    if (summary.verdicts.ok === summary.rows) whole.add(batch);
  for (const { batch } of placedBatches(ledger)) {
    if (whole.has(batch)) {
      yield new Uint8Array(ledger.batches[batch]!.rows);
      continue;
    }
    const outcomes = decodeOutcomes(await readStored(run, batch));
    const kept = ledger.batches[batch]!.bad === 0 ? null : await readKept(run, batch);
    yield Uint8Array.from(outcomes, (outcome, i) =>
      ROW_VERDICTS.indexOf((kept === null ? outcome : finalOutcome(kept[i]!, outcome)).verdict),
    );
  }
}

/**
 * The texts of these rows (0-based), in the order given; rows beyond the end are left out. Each batch is read
 * once.
 * @throws {CorruptError} when a file is damaged
 */
export async function readRowTexts(run: Run, rows: readonly number[]): Promise<RowText[]> {
  const release = await run.hold();
  try {
    return await textsOf(run, rows);
  } finally {
    release();
  }
}

async function textsOf(run: Run, rows: readonly number[]): Promise<RowText[]> {
  const found = new Map<number, RowText>();
  for (const { batch, start, wanted } of batchesWith(run, rows)) {
    const kept = await readKept(run, batch);
    for (const row of wanted) found.set(row, rowTextOf(kept[row - start]!, row));
  }
  return rows.flatMap((row) => found.get(row) ?? []);
}

/**
 * The vectors of these rows (0-based) by row; rows without a vector and rows beyond the end are left out. Each batch is
 * read once.
 * @throws {CorruptError} when a file is damaged or a batch is missing
 */
export async function readRowVectors(
  run: Run,
  rows: readonly number[],
): Promise<ReadonlyMap<number, Float32Array>> {
  const release = await run.hold();
  try {
    const found = new Map<number, Float32Array>();
    for (const { batch, start, wanted } of batchesWith(run, rows)) {
      const { outcomes, vectors, dim } = await readResult(run, batch);
      for (const row of wanted) {
        const n = row - start;
        if (hasVector(outcomes[n]!.verdict)) found.set(row, vectors.slice(n * dim, (n + 1) * dim));
      }
    }
    return found;
  } finally {
    release();
  }
}

/** The batches that hold at least one of these rows, in order. */
function* batchesWith(run: Run, rows: readonly number[]): Generator<PlacedBatch & { wanted: number[] }> {
  const sorted = [...new Set(rows)].sort((a, b) => a - b);
  let next = 0;
  for (const { batch, start } of placedBatches(run.files.ledger)) {
    const end = start + run.files.ledger.batches[batch]!.rows;
    const from = next;
    while (next < sorted.length && sorted[next]! < end) next += 1;
    if (next > from) yield { batch, start, wanted: sorted.slice(from, next) };
  }
}

/** Reads while the run is held: it stays loaded, and the retention leaves it alone. */
async function* whileHeld<Value>(run: Run, read: () => AsyncGenerator<Value>): AsyncGenerator<Value> {
  const release = await run.hold();
  try {
    yield* read();
  } finally {
    release();
  }
}

async function readResult(run: Run, batch: number): Promise<BatchResult> {
  return decodeBatchResult(await readStored(run, batch));
}

async function readStored(run: Run, batch: number): Promise<Uint8Array> {
  const bytes = await run.files.shards.read(batch);
  if (bytes === null)
    throw new CorruptError('missing-batch', `batch ${batch} of run ${run.id} is not in any shard`);
  return bytes;
}

function readKept(run: Run, batch: number): Promise<KeptRow[]> {
  const { ledger, rowLog } = run.files;
  return rowLog.read(ledger.batches[batch]!.span);
}

/** Rows without an id are numbered from 1. */
function idOf(kept: KeptRow, row: number): string {
  return kept[0] ?? String(row + 1);
}

function rowTextOf(kept: KeptRow, row: number): RowText {
  const columns = kept[2] === null ? kept[5] : kept[3];
  return { row, id: idOf(kept, row), text: kept[2], columns: columns ?? NO_COLUMNS };
}

/** A row that was rejected on input failed with that reason. */
function finalOutcome(kept: KeptRow, outcome: RowOutcome): RowOutcome {
  if (kept[2] !== null) return outcome;
  return { verdict: 'failed', tokens: 0, lostTokens: 0, message: `${kept[3]}: ${kept[4]}` };
}

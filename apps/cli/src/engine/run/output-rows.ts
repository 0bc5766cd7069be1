/** The rows of an output as one stream: downloaded, shortened, merged with those of an old output, joined with columns. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type RetryOptions, withRetry } from '@embedmill/client';
import { BUILT_IN_DIM, type RunInfo, type VectorRows } from '@embedmill/contract';
import { type Column, type OutputRows, vectorMetadata } from '@embedmill/core/formats';
import { mergeRows } from '../../io/append/merge.ts';
import type { OldOutput } from '../../io/append/old-output.ts';
import type { VectorOptions } from '../../io/append/row-index.ts';
import type { RowSpool } from '../../io/append/row-spool.ts';
import { joinColumns, outputColumns, shortenRows } from '../../io/columns/join.ts';
import type { ColumnSpool } from '../../io/columns/spool.ts';
import type { OutputTarget } from '../../io/output/types.ts';
import { type DownloadedRows, downloadRows } from './download-rows.ts';
import type { PartQueue } from './part-queue.ts';
import type { RunClient } from './run-client.ts';

/** The rows of an output that gets a row index. */
export interface IndexedRows {
  spool: RowSpool;
  /** Start of the paths of the files in which digests are collected. */
  digestsPath: string;
  /** Options that determine the vectors. */
  options: VectorOptions;
  /** The old output with the path for a copy of its vectors; `null` if there is none. */
  append: { old: OldOutput; copyPath: string } | null;
}

/** The columns of an input. */
export interface InputColumns {
  spool: ColumnSpool;
  /** The column of the ids; `null` if they are row numbers. */
  idField: string | null;
}

/** Dependencies of {@link openOutputRows}. */
export interface OutputRowsDeps {
  client: Pick<RunClient, 'followParts' | 'getRun'>;
  /** Id of the run, which may be in any state. */
  run: string;
  /** The parts of the run; filled while they are sent. */
  parts: PartQueue;
  output: OutputTarget;
  retry: RetryOptions;
  /** The columns of the input that go to the output; `null` for none. */
  columns: InputColumns | null;
  /** What later commands need to append; `null` if the output cannot be appended to. */
  index: IndexedRows | null;
}

/** The rows of an output, and what its files say about them. */
export interface OpenedRows {
  rows: AsyncIterable<OutputRows>;
  /** Rows read so far: of the output, and those among them that were downloaded. */
  counts: { rows: number; downloadedRows: number };
  dim: number;
  columns: Column[];
  metadata: Record<string, string>;
  model: string;
  fingerprint: string | null;
}

/**
 * Opens the rows; resolves when the first one has been downloaded. Reading them throws `ColumnsChanged` if later rows change the
 * columns.
 * @param tap receives the downloaded rows and passes them on
 */
export async function openOutputRows(
  deps: OutputRowsDeps,
  tap: (rows: AsyncIterable<DownloadedRows>) => AsyncGenerator<DownloadedRows>,
  signal: AbortSignal,
): Promise<OpenedRows> {
  const { output, columns: input, index } = deps;
  const source = tap(downloadRows(deps, signal));
  const first = await source.next();
  const run = await stateAfter(first.done !== true, deps, signal);
  const append = index?.append ?? null;
  const old = append?.old.header ?? null;
  const runDim = run.dim ?? BUILT_IN_DIM;
  const dim = old?.dim ?? Math.min(output.dimensions ?? runDim, runDim);
  const counts = { rows: 0, downloadedRows: 0 };
  const downloaded = counted(beginWith(first, source), (rows) => {
    counts.downloadedRows += rows;
  });
  const fresh: AsyncIterable<VectorRows> = dim === runDim ? downloaded : shortenRows(downloaded, dim);
  const merged =
    index === null || append === null
      ? fresh
      : mergeRows(index.spool.read(signal), fresh, { path: append.copyPath, dim });
  const snapshot = input?.spool.snapshot() ?? null;
  const columns = outputColumns(snapshot?.columns ?? [], {
    idField: input?.idField ?? null,
    taken: takenNames(output),
  });
  const joined = snapshot === null ? merged : joinColumns(merged, snapshot.read(signal), columns);
  const { model, precision } = run.options;
  const fingerprint = run.fingerprint ?? old?.fingerprint ?? null;
  return {
    rows: counted<OutputRows>(joined, (rows) => {
      counts.rows += rows;
    }),
    ...{ counts, dim, columns, model, fingerprint },
    metadata: vectorMetadata({ model, precision, fingerprint, dim }),
  };
}

/** Pause between two requests for a state that is older than the first row: one of several producers answered late. */
const LATE_STATE_MS = 50;

/** The state of the run, which knows its model once a row is stored, also one without a vector. */
async function stateAfter(
  hasRow: boolean,
  { client, run, retry }: OutputRowsDeps,
  signal: AbortSignal,
): Promise<RunInfo> {
  for (;;) {
    const info = await withRetry(() => client.getRun(run), retry);
    if (!hasRow || info.dim !== null) return info;
    await sleep(LATE_STATE_MS, undefined, { signal });
  }
}

/** Names of the columns that an output has anyway. */
export function takenNames({ format, dtype, encoding }: OutputTarget): string[] {
  const isText = format === 'jsonl' && encoding === 'base64';
  return ['id', 'vector', ...(dtype === 'int8' ? ['scale'] : []), ...(isText ? ['dtype'] : [])];
}

/** A source whose first value has been read. */
async function* beginWith<Value>(
  first: IteratorResult<Value>,
  source: AsyncGenerator<Value>,
): AsyncGenerator<Value> {
  try {
    if (first.done === true) return;
    yield first.value;
    yield* source;
  } finally {
    await source.return(undefined);
  }
}

async function* counted<Rows extends VectorRows>(
  slices: AsyncIterable<Rows>,
  onRows: (rows: number) => void,
): AsyncGenerator<Rows> {
  for await (const slice of slices) {
    onRows(slice.ids.length);
    yield slice;
  }
}

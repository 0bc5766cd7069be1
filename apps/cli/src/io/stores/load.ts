/** Loads a vector file into a store, request by request. */

import { rowView } from '@embedmill/contract';
import type { OutputRows } from '@embedmill/core/formats';
import { joinColumns, type OutputColumn } from '../columns/join.ts';
import type { ColumnSpool } from '../columns/spool.ts';
import type { VectorFile } from '../vectors/types.ts';
import { type RetryDeps, retryRequest } from './retry.ts';
import type { StoreBatch, VectorStore } from './types.ts';

/** Dependencies of {@link loadIntoStore}. */
export interface LoadDeps extends RetryDeps {
  file: VectorFile;
  /** The columns that the store gets, of all rows; `null`, the default, for none. */
  columns?: LoadColumns | null;
  /** Opens the store once the dimension is known: at the first rows, or at the end if the file states it. */
  open: (dim: number) => Promise<VectorStore>;
  /** Maximum rows per request. */
  batchRows: number;
  /** Receives the number of rows processed so far. */
  onRows: (rows: number) => void;
}

/** Columns of the rows to load. */
export interface LoadColumns {
  spool: ColumnSpool;
  columns: readonly OutputColumn[];
}

/** What was loaded. Plain JSON. */
export interface LoadReport {
  /** Rows written. */
  rows: number;
  /** Skipped rows: those without a vector. */
  missing: number;
  /** Name of the store, without secrets. */
  store: string;
}

/**
 * Writes all rows with a vector, and repeats requests that fail temporarily.
 * @throws {EmbedmillError} `store-refused` for a permanent failure
 */
export async function loadIntoStore({
  file,
  columns = null,
  open,
  batchRows,
  onRows,
  onRetry,
  signal,
}: LoadDeps): Promise<LoadReport> {
  let store: VectorStore | null = null;
  let [rows, missing] = [0, 0];
  try {
    const slices: AsyncIterable<OutputRows> =
      columns === null ? file.read() : joinColumns(file.read(), columns.spool.read(), columns.columns);
    for await (const { ids, dim, vectors, present, columns: values = [] } of slices) {
      const opened: VectorStore = store ?? (await open(dim));
      store = opened;
      const rowsHere = [...ids.keys()].filter((row) => present[row] === 1);
      missing += ids.length - rowsHere.length;
      for (let from = 0; from < rowsHere.length; from += batchRows) {
        const chosen = rowsHere.slice(from, from + batchRows);
        const batch: StoreBatch = {
          ids: chosen.map((row) => ids[row]!),
          vectors: chosen.map((row) => rowView(vectors, dim, row)),
          values: chosen.map((row) => values.map((column) => column[row] ?? null)),
        };
        await retryRequest(() => opened.upsert(lastOfEachId(batch)), { onRetry, signal });
        rows += chosen.length;
        onRows(rows + missing);
      }
    }
    if (store === null && file.dim) store = await open(file.dim);
    await store?.finish();
    return { rows, missing, store: store?.name ?? 'no store opened: the file has no rows' };
  } finally {
    await store?.close();
  }
}

/** A statement cannot write one row twice; the last row wins, as with separate statements. */
function lastOfEachId({ ids, vectors, values = [] }: StoreBatch): StoreBatch {
  const last = [...new Map(ids.map((id, n) => [id, n])).values()];
  return {
    ids: last.map((n) => ids[n]!),
    vectors: last.map((n) => vectors[n]!),
    values: last.map((n) => values[n] ?? []),
  };
}

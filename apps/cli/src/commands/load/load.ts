/** Brings a file of vectors into a database, batch by batch; `embedmill load` calls it. */

import { rowView } from '@embedmill/contract';
import type { VectorFile } from '../../io/vectors/types.ts';
import { type Repetition, repeat } from './repeat.ts';
import type { StoreBatch, VectorStore } from './types.ts';

/** What a load works with. */
export interface LoadDeps extends Repetition {
  file: VectorFile;
  /** Opened when the dimension is known: with the first rows, or without any where the file says it. */
  open: (dim: number) => Promise<VectorStore>;
  /** Rows of a request. */
  batchRows: number;
  onRows: (rows: number) => void;
}

/** What was loaded. Plain JSON. */
export interface LoadReport {
  /** Rows that were written. */
  rows: number;
  /** Rows of the file without a vector, which were left out. */
  missing: number;
  store: string;
}

/** @throws {EmbedmillError} `store-refused` for what a repetition would not cure */
export async function load({
  file,
  open,
  batchRows,
  onRows,
  onRetry,
  signal,
}: LoadDeps): Promise<LoadReport> {
  let store: VectorStore | null = null;
  let [rows, missing] = [0, 0];
  try {
    for await (const { ids, dim, vectors, present } of file.read()) {
      const opened: VectorStore = store ?? (await open(dim));
      store = opened;
      const rowsHere = [...ids.keys()].filter((row) => present[row] === 1);
      missing += ids.length - rowsHere.length;
      for (let from = 0; from < rowsHere.length; from += batchRows) {
        const chosen = rowsHere.slice(from, from + batchRows);
        const batch: StoreBatch = {
          ids: chosen.map((row) => ids[row]!),
          vectors: chosen.map((row) => rowView(vectors, dim, row)),
        };
        await repeat(() => opened.upsert(lastOfEachId(batch)), { onRetry, signal });
        rows += chosen.length;
        onRows(rows + missing);
      }
    }
    if (store === null && file.dim) store = await open(file.dim);
    await store?.finish();
    return { rows, missing, store: store?.name ?? 'nothing was opened: the file has no rows' };
  } finally {
    await store?.close();
  }
}

/** One statement cannot write a row twice; as with two statements, the last one stays. */
function lastOfEachId({ ids, vectors }: StoreBatch): StoreBatch {
  const last = new Map(ids.map((id, n) => [id, vectors[n]!]));
  return { ids: [...last.keys()], vectors: [...last.values()] };
}

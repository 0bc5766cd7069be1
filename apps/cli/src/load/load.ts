/** Brings a file of vectors into a database, batch by batch; `embedmill load` calls it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/core';
import type { VectorFile } from '../vectors/types.ts';
import type { StoreBatch, VectorStore } from './types.ts';

/** What a load works with. */
export interface LoadParts {
  file: VectorFile;
  /** Opened when the dimension is known. */
  open: (dim: number) => Promise<VectorStore>;
  /** Rows of a request. */
  batchRows: number;
  onRows: (rows: number) => void;
  /** Says why a request is repeated. */
  onRetry: (reason: string) => void;
  signal: AbortSignal;
}

/** What was loaded. Plain JSON. */
export interface LoadReport {
  /** Rows that were written. */
  rows: number;
  /** Rows of the file without a vector, which were left out. */
  missing: number;
  store: string;
}

/** Waits between the attempts of one request, in ms: a store that restarts is back within half a minute. */
const RETRY_WAITS_MS = [500, 2_000, 8_000, 20_000];

/** @throws {EmbedmillError} `store-refused` for what a repetition would not cure */
export async function load({
  file,
  open,
  batchRows,
  onRows,
  onRetry,
  signal,
}: LoadParts): Promise<LoadReport> {
  let store: VectorStore | null = null;
  let [rows, missing] = [0, 0];
  try {
    for await (const { ids, dim, vectors, present } of file.read()) {
      store ??= await open(dim);
      const rowsHere = [...ids.keys()].filter((row) => present[row] === 1);
      missing += ids.length - rowsHere.length;
      for (let from = 0; from < rowsHere.length; from += batchRows) {
        const chosen = rowsHere.slice(from, from + batchRows);
        const batch: StoreBatch = {
          ids: chosen.map((row) => ids[row]!),
          vectors: chosen.map((row) => vectors.subarray(row * dim, (row + 1) * dim)),
        };
        await persist(store, lastOfEachId(batch), { onRetry, signal });
        rows += chosen.length;
        onRows(rows + missing);
      }
    }
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

/** Repeats what fails for a reason that may pass. */
async function persist(
  store: VectorStore,
  batch: StoreBatch,
  { onRetry, signal }: Pick<LoadParts, 'onRetry' | 'signal'>,
): Promise<void> {
  for (const waitMs of [...RETRY_WAITS_MS, null]) {
    signal.throwIfAborted();
    try {
      await store.upsert(batch);
      return;
    } catch (error) {
      const mayPass = error instanceof EmbedmillError && error.retryable;
      if (waitMs === null || !mayPass) throw error;
      onRetry(error.message);
      await sleep(waitMs, undefined, { signal });
    }
  }
}

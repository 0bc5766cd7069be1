/** Loads a vector file into memory, for analyses that compare rows with each other. */

import type { Matrix } from '@embedmill/analysis';
import { quote, rowView, type VectorRows } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import type { VectorFile } from './types.ts';

/** The rows with a vector. */
export interface LoadedVectors {
  /** One row per vector, each of Euclidean length 1. */
  matrix: Matrix;
  /** Ids of the rows of the matrix; they may repeat. */
  ids: string[];
  /** Row numbers in the file, from 0. */
  numbers: number[];
  /** Number of rows without a vector, which are omitted. */
  missing: number;
}

/**
 * Reads all rows.
 * @param options.onRows receives the number of rows read so far
 * @throws {UsageError} when no row has a vector
 */
export async function loadVectors(
  file: VectorFile,
  { onRows, signal }: { onRows: (rows: number) => void; signal: AbortSignal },
): Promise<LoadedVectors> {
  const slices: VectorRows[] = [];
  let rows = 0;
  for await (const slice of file.read()) {
    signal.throwIfAborted();
    slices.push(slice);
    rows += slice.ids.length;
    onRows(rows);
  }
  const present = slices.reduce((sum, slice) => sum + slice.present.reduce((all, mark) => all + mark, 0), 0);
  if (present === 0) throw new UsageError(`no row of ${quote(file.name, 200)} has a vector`);
  const dim = slices[0]!.dim;
  const vectors = new Float32Array(present * dim);
  const ids: string[] = [];
  const numbers: number[] = [];
  let first = 0;
  for (const slice of slices) {
    for (let row = 0; row < slice.ids.length; row++) {
      if (slice.present[row] !== 1) continue;
      vectors.set(rowView(slice.vectors, dim, row), ids.length * dim);
      ids.push(slice.ids[row]!);
      numbers.push(first + row);
    }
    first += slice.ids.length;
  }
  return { matrix: { rows: present, dim, vectors }, ids, numbers, missing: rows - present };
}

/** Joins the vectors of a run with the columns of its input, row by row. */

import { shorten, type VectorRows } from '@embedmill/contract';
import type { Column, ColumnValues, OutputRows } from '@embedmill/core/formats';
import type { ColumnBlock } from './spool.ts';

/** A column of the output, and where its values are. */
export interface OutputColumn extends Column {
  /** Position among the columns of the spool. */
  position: number;
}

/**
 * Names the columns of the output. The input's id column is left out if it is called `id`: its values are the
 * ids. A column whose name is taken, in upper or lower case, gets the first free number: `vector_1`.
 * @param taken names of the columns that the output has anyway
 */
export function outputColumns(
  columns: readonly Column[],
  { idField, taken }: { idField: string | null; taken: readonly string[] },
): OutputColumn[] {
  const used = new Set([...taken, ...columns.map(({ name }) => name)].map((name) => name.toLowerCase()));
  const isTaken = new Set(taken.map((name) => name.toLowerCase()));
  return columns.flatMap(({ name, type }, position) => {
    if (name === 'id' && idField === name) return [];
    let free = name;
    for (
      let number = 1;
      isTaken.has(free.toLowerCase()) || (free !== name && used.has(free.toLowerCase()));
    ) {
      free = `${name}_${number++}`;
    }
    used.add(free.toLowerCase());
    return [{ name: free, type, position }];
  });
}

/** The vectors with the values of `columns`; both sources have the same rows. */
export async function* joinColumns(
  vectors: AsyncIterable<VectorRows>,
  blocks: AsyncIterable<ColumnBlock>,
  columns: readonly OutputColumn[],
): AsyncGenerator<OutputRows> {
  const source = blocks[Symbol.asyncIterator]();
  let block: ColumnBlock = { rows: 0, values: [] };
  let at = 0;
  try {
    for await (const { ids, dim, vectors: floats, present } of vectors) {
      for (let from = 0; from < ids.length; ) {
        if (at === block.rows) {
          const next = await source.next();
          if (next.done) throw new Error('internal error: the column spool has fewer rows than the run');
          [block, at] = [next.value, 0];
          continue;
        }
        const count = Math.min(ids.length - from, block.rows - at);
        yield {
          ids: ids.slice(from, from + count),
          dim,
          vectors: floats.subarray(from * dim, (from + count) * dim),
          present: present.subarray(from, from + count),
          columns: cutColumns(block.values, columns, at, at + count),
        };
        from += count;
        at += count;
      }
    }
  } finally {
    await source.return?.(undefined);
  }
}

function cutColumns(
  values: ColumnValues,
  columns: readonly OutputColumn[],
  from: number,
  to: number,
): ColumnValues {
  return columns.map(({ position }) => (values[position] ?? []).slice(from, to));
}

/** The vectors, shortened to `dimensions` numbers. */
export async function* shortenRows(
  rows: AsyncIterable<VectorRows>,
  dimensions: number,
): AsyncGenerator<VectorRows> {
  for await (const { ids, dim, vectors, present } of rows) {
    const kept = new Float32Array(ids.length * dimensions);
    for (let row = 0; row < ids.length; row++) {
      kept.set(shorten(vectors.subarray(row * dim, (row + 1) * dim), dimensions), row * dimensions);
    }
    yield { ids, dim: dimensions, vectors: kept, present };
  }
}

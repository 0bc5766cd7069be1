/** Checks the rows of an encoder against the declared shape, and splits them into groups. */

import { EmbedmillError, type VectorRows } from '@embedmill/contract';
import type { OutputShape } from './types.ts';

/**
 * Yields the non-empty slices. Throws `wrong-shape` at the first invalid slice, or at the end if rows are
 * missing.
 */
export async function* checkShape(
  source: AsyncIterable<VectorRows>,
  shape: OutputShape,
): AsyncGenerator<VectorRows> {
  let rows = 0;
  for await (const slice of source) {
    checkSlice(slice, shape.dim);
    rows += slice.ids.length;
    if (rows > shape.rows) throw wrongShape(`expected ${shape.rows} rows, got at least ${rows}`);
    if (slice.ids.length > 0) yield slice;
  }
  if (rows < shape.rows) throw wrongShape(`expected ${shape.rows} rows, got ${rows}`);
}

function checkSlice({ ids, dim, vectors, present }: VectorRows, expectedDim: number): void {
  if (dim !== expectedDim) throw wrongShape(`expected vectors of ${expectedDim} floats, got ${dim}`);
  if (present.length !== ids.length || vectors.length !== ids.length * dim) {
    throw wrongShape(
      `a slice has ${ids.length} ids, ${present.length} marks and ${vectors.length} floats; expected one mark and ${dim} floats per id`,
    );
  }
}

function wrongShape(problem: string): EmbedmillError {
  return new EmbedmillError('wrong-shape', `cannot write the output: ${problem}`);
}

/** Checks the slices, then groups them as {@link groupSlices} does. */
export function groupRows(
  source: AsyncIterable<VectorRows>,
  shape: OutputShape,
  rowsPerGroup: number,
): AsyncGenerator<VectorRows[]> {
  return groupSlices(checkShape(source, shape), rowsPerGroup);
}

/** Yields groups of `rowsPerGroup` rows, the last one smaller; a group is a list of views of the slices. */
export async function* groupSlices(
  slices: AsyncIterable<VectorRows>,
  rowsPerGroup: number,
): AsyncGenerator<VectorRows[]> {
  let group: VectorRows[] = [];
  let grouped = 0;
  for await (const slice of slices) {
    for (let from = 0; from < slice.ids.length; ) {
      const taken = Math.min(slice.ids.length - from, rowsPerGroup - grouped);
      group.push(cutSlice(slice, from, from + taken));
      from += taken;
      grouped += taken;
      if (grouped < rowsPerGroup) continue;
      yield group;
      group = [];
      grouped = 0;
    }
  }
  if (grouped > 0) yield group;
}

/** Rows `from` (inclusive) to `to` (exclusive) of a slice, as views. */
export function cutSlice({ ids, dim, vectors, present }: VectorRows, from: number, to: number): VectorRows {
  return {
    ids: ids.slice(from, to),
    dim,
    vectors: vectors.subarray(from * dim, to * dim),
    present: present.subarray(from, to),
  };
}

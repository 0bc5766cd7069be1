/** Checks the rows of an encoder against the declared shape, and splits them into groups. */

import { EmbedmillError } from '@embedmill/contract';
import type { OutputRows, OutputShape } from './types.ts';

/** Bytes of column values per group, roughly; a group is held in memory. */
const MAX_COLUMN_BYTES = 32 * 1024 * 1024;

/**
 * Yields the non-empty slices. Throws `wrong-shape` at the first invalid slice, or at the end if rows are
 * missing.
 */
export async function* checkShape(
  source: AsyncIterable<OutputRows>,
  shape: OutputShape,
): AsyncGenerator<OutputRows> {
  let rows = 0;
  for await (const slice of source) {
    checkSlice(slice, shape.dim);
    rows += slice.ids.length;
    if (shape.rows !== null && rows > shape.rows)
      throw wrongShape(`expected ${shape.rows} rows, got at least ${rows}`);
    if (slice.ids.length > 0) yield slice;
  }
  if (shape.rows !== null && rows < shape.rows) throw wrongShape(`expected ${shape.rows} rows, got ${rows}`);
}

function checkSlice({ ids, dim, vectors, present, columns }: OutputRows, expectedDim: number): void {
  if (columns?.some((values) => values.length !== ids.length)) {
    throw wrongShape(`a slice has ${ids.length} ids; expected as many values in each column`);
  }
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
  source: AsyncIterable<OutputRows>,
  shape: OutputShape,
  rowsPerGroup: number,
): AsyncGenerator<OutputRows[]> {
  return groupSlices(checkShape(source, shape), rowsPerGroup);
}

/**
 * Yields groups of `rowsPerGroup` rows, the last one smaller; a group is a list of views of the slices. A
 * group also ends with the row at which its columns reach `MAX_COLUMN_BYTES`.
 */
export async function* groupSlices(
  slices: AsyncIterable<OutputRows>,
  rowsPerGroup: number,
): AsyncGenerator<OutputRows[]> {
  let group: OutputRows[] = [];
  let grouped = 0;
  let bytes = 0;
  for await (const slice of slices) {
    for (let from = 0; from < slice.ids.length; ) {
      let to = Math.min(slice.ids.length, from + rowsPerGroup - grouped);
      for (let row = from; row < to && slice.columns !== undefined; row++) {
        for (const values of slice.columns) bytes += sizeOf(values[row]);
        if (bytes >= MAX_COLUMN_BYTES) to = row + 1;
      }
      group.push(cutSlice(slice, from, to));
      grouped += to - from;
      from = to;
      if (grouped < rowsPerGroup && bytes < MAX_COLUMN_BYTES) continue;
      yield group;
      group = [];
      grouped = 0;
      bytes = 0;
    }
  }
  if (grouped > 0) yield group;
}

/** The memory of a value, roughly, in bytes. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Uint8Array) return 16 + value.length;
  let bytes = 16;
  for (const inner of Object.values(value)) bytes += sizeOf(inner);
  return bytes;
}

/** The values of the columns of a group, one array per column. */
export function columnsOfGroup(group: readonly OutputRows[], count: number): unknown[][] {
  return Array.from({ length: count }, (_, n) => group.flatMap(({ columns }) => columns?.[n] ?? []));
}

/** Rows `from` (inclusive) to `to` (exclusive) of a slice, as views. */
export function cutSlice(
  { ids, dim, vectors, present, columns }: OutputRows,
  from: number,
  to: number,
): OutputRows {
  return {
    ids: ids.slice(from, to),
    dim,
    vectors: vectors.subarray(from * dim, to * dim),
    present: present.subarray(from, to),
    ...(columns === undefined ? {} : { columns: columns.map((values) => values.slice(from, to)) }),
  };
}

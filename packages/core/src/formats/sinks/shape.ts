/** Holds the rows an encoder is given against the shape it was promised, and cuts them; all encoders use it. */
import { EmbedmillError, type VectorRows } from '@embedmill/contract';
import type { OutputShape } from './types.ts';

/** The same slices without empty ones. Throws `wrong-shape` at the first that does not fit, or at the end. */
export async function* checkShape(
  source: AsyncIterable<VectorRows>,
  shape: OutputShape,
): AsyncGenerator<VectorRows> {
  let rows = 0;
  for await (const slice of source) {
    checkSlice(slice, shape.dim);
    rows += slice.ids.length;
    if (rows > shape.rows) throw wrongShape(`at least ${rows} rows came; expected ${shape.rows}`);
    if (slice.ids.length > 0) yield slice;
  }
  if (rows < shape.rows) throw wrongShape(`${rows} rows came; expected ${shape.rows}`);
}

function checkSlice({ ids, dim, vectors, present }: VectorRows, expectedDim: number): void {
  if (dim !== expectedDim) throw wrongShape(`vectors of ${dim} floats came; expected ${expectedDim}`);
  if (present.length !== ids.length || vectors.length !== ids.length * dim) {
    throw wrongShape(
      `a slice has ${ids.length} ids, ${present.length} marks and ${vectors.length} floats; expected one mark and ${dim} floats for each id`,
    );
  }
}

function wrongShape(problem: string): EmbedmillError {
  return new EmbedmillError('wrong-shape', `The output cannot be written: ${problem}.`);
}

/** The checked slices in groups of `rowsPerGroup` rows, the last one smaller; a group is a list of views. */
export function groupRows(
  source: AsyncIterable<VectorRows>,
  shape: OutputShape,
  rowsPerGroup: number,
): AsyncGenerator<VectorRows[]> {
  return groupSlices(checkShape(source, shape), rowsPerGroup);
}

/** Slices in groups of `rowsPerGroup` rows, the last one smaller; a group is a list of views. */
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

/** Rows `from` to `to` (not included) of a slice, as views. */
export function cutSlice({ ids, dim, vectors, present }: VectorRows, from: number, to: number): VectorRows {
  return {
    ids: ids.slice(from, to),
    dim,
    vectors: vectors.subarray(from * dim, to * dim),
    present: present.subarray(from, to),
  };
}

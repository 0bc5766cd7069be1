/** A table whose rows arrive once, from a cursor: what a plan has read comes again for the reader. */

import { asError, EmbedmillError, quote } from '@embedmill/contract';
import type { Column, Table, TableSlice } from '@embedmill/core/formats';

/**
 * The table of a cursor. Its rows can be read twice: first by the plan, which stops early and whose rows are
 * held, then to the end. The query runs once, so that both see the same rows.
 * @param name of the database, for errors
 * @param slices with the values of all columns
 */
export function readOnceTable(
  name: string,
  columns: readonly Column[],
  slices: AsyncIterable<TableSlice>,
): Table {
  const source = slices[Symbol.asyncIterator]();
  const names = columns.map(({ name }) => name);
  let held: TableSlice[] = [];
  let readings = 0;
  const nextSlice = () =>
    source.next().catch((error) => {
      if (error instanceof EmbedmillError) throw error;
      const message = `${quote(name, 200)} cannot be read to its end: ${asError(error).message}`;
      throw new EmbedmillError('query-failed', message, { cause: error });
    });
  async function* read(wanted: readonly string[]): AsyncGenerator<TableSlice> {
    readings += 1;
    if (readings > 2) throw new Error('internal error: the rows of a query were read already');
    const isPlan = readings === 1;
    const positions = wanted.map((name) => names.indexOf(name));
    const chosen = ({ rows, values, types }: TableSlice): TableSlice => ({
      rows,
      values: positions.map((at) => values[at] ?? []),
      ...(types === undefined ? {} : { types: positions.flatMap((at) => types[at] ?? []) }),
    });
    if (!isPlan) {
      const before = held;
      held = [];
      for (const slice of before) yield chosen(slice);
    }
    for (let next = await nextSlice(); !next.done; next = await nextSlice()) {
      if (isPlan) held.push(next.value);
      yield chosen(next.value);
    }
  }
  return { columns, rows: null, read: ({ columns: wanted = names } = {}) => read(wanted) };
}

/** Exact search: compares a query with every row; `embedmill search` and the producer's search route call it. */

import { RequestError, type VectorRows } from '@embedmill/contract';
import { dotRow } from './dot.ts';
import { type Hit, Nearest } from './nearest.ts';

/**
 * Offers every row of a slice that has a vector. Blocks for about 0.3 µs a row of 384 floats.
 * @param firstRow number of the slice's first row among all rows
 * @throws {RequestError} `wrong-dimension` when the query has another length than the rows
 */
export function scanRows(query: Float32Array, slice: VectorRows, firstRow: number, nearest: Nearest): void {
  const { ids, dim, vectors, present } = slice;
  if (query.length !== dim) {
    throw new RequestError(
      'wrong-dimension',
      `the query has ${query.length} floats; expected ${dim}, as the rows that are searched`,
      { facts: { given: query.length, expected: dim } },
    );
  }
  let bar = nearest.bar;
  for (let row = 0; row < ids.length; row++) {
    if (present[row] !== 1) continue;
    const score = dotRow(query, vectors, row);
    if (!(score > bar)) continue;
    nearest.offer({ row: firstRow + row, id: ids[row]!, score });
    bar = nearest.bar;
  }
}

/**
 * The `count` rows nearest to a query of length 1, the nearest first; of equal scores the earlier row. Holds one slice
 * at a time and gives way to other work between slices.
 * @throws {RequestError} `wrong-dimension` when the query has another length than the rows
 */
export async function searchRows(
  rows: AsyncIterable<VectorRows> | Iterable<VectorRows>,
  query: Float32Array,
  count: number,
): Promise<readonly Hit[]> {
  const nearest = new Nearest(count);
  let firstRow = 0;
  for await (const slice of rows) {
    scanRows(query, slice, firstRow, nearest);
    firstRow += slice.ids.length;
  }
  return nearest.hits;
}

/** Exact search: compares a query with every row, for `embedmill search` and the producer's search route. */

import { RequestError, type VectorRows } from '@embedmill/contract';
import { dotRow } from './dot.ts';
import { type Hit, Nearest } from './nearest.ts';

/**
 * Offers every row with a vector to `nearest`. Blocks for about 0.3 µs per row of 384 floats.
 * @param firstRow number of the first row of the slice among all rows, from 0
 * @throws {RequestError} `wrong-dimension` if the query does not have the dimension of the rows
 */
export function scanRows(query: Float32Array, slice: VectorRows, firstRow: number, nearest: Nearest): void {
  const { ids, dim, vectors, present } = slice;
  if (query.length !== dim) {
    throw new RequestError(
      'wrong-dimension',
      `the query has ${query.length} floats; expected ${dim}, the dimension of the searched rows`,
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
 * The `count` rows nearest to a query of length 1, nearest first; ties go to the earlier row. Holds one slice
 * at a time and yields to other work between slices.
 * @throws {RequestError} `wrong-dimension` if the query does not have the dimension of the rows
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

/** The order of the rows in the table. */

import type { ColumnValues } from './column-values.ts';

/** What rows are ordered by; ties keep the order of the input. */
export type OrderBy =
  | { by: 'row' }
  /** Most typical of its topic first. */
  | { by: 'score'; scores: Float32Array }
  /** Nearest to the centre of the shown rows on the map first. */
  | { by: 'center'; points: Float32Array }
  /** Best hit first; rows that are not among the hits are left out. */
  | { by: 'hits'; rows: readonly number[] }
  /** Smallest value first; rows without a value last. */
  | { by: 'column'; values: ColumnValues; isDescending: boolean };

/** Returns the rows with a 1 in the mask, in order. */
export function orderRows(mask: Uint8Array, order: OrderBy): Uint32Array {
  if (order.by === 'hits') return Uint32Array.from(order.rows.filter((row) => mask[row] === 1));
  let count = 0;
  for (const bit of mask) count += bit;
  const rows = new Uint32Array(count);
  for (let row = 0, n = 0; row < mask.length; row++) if (mask[row] === 1) rows[n++] = row;
  if (order.by === 'row') return rows;
  const keys = sortKeys(rows, order);
  // NaN, a row without a value, is last.
  return rows.sort((a, b) => {
    const [left, right] = [keys[a]!, keys[b]!];
    if (left === right) return a - b;
    if (Number.isNaN(left) || Number.isNaN(right)) {
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || a - b;
    }
    return left - right;
  });
}

/** A key by row number; the smallest is first. */
function sortKeys(
  rows: Uint32Array,
  order: Extract<OrderBy, { by: 'score' | 'center' | 'column' }>,
): Float64Array {
  if (order.by === 'score') return Float64Array.from(order.scores, (score) => -score);
  if (order.by === 'center') return distancesToCenter(rows, order.points);
  const sign = order.isDescending ? -1 : 1;
  if (order.values.kind !== 'category') return order.values.numbers.map((n) => sign * n);
  const { values, codes } = order.values;
  const byName = [...values.keys()].sort((a, b) =>
    values[a]!.localeCompare(values[b]!, 'en', { numeric: true }),
  );
  const rank = new Float64Array(values.length);
  for (const [position, code] of byName.entries()) rank[code] = sign * position;
  return Float64Array.from(codes, (code) => (code < 0 ? Number.NaN : rank[code]!));
}

function distancesToCenter(rows: Uint32Array, points: Float32Array): Float64Array {
  let [x, y, placed] = [0, 0, 0];
  for (const row of rows) {
    if (Number.isNaN(points[2 * row]!)) continue;
    x += points[2 * row]!;
    y += points[2 * row + 1]!;
    placed += 1;
  }
  const distances = new Float64Array(points.length / 2);
  for (const row of rows) {
    distances[row] = Math.hypot(points[2 * row]! - x / placed, points[2 * row + 1]! - y / placed);
  }
  return distances;
}

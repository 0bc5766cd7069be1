/** Turns filters into masks of rows, and counts what each filter would show with all others applied. */

import type { ColumnValues } from './column-values.ts';
import type { ColumnFilter } from './explore-state.ts';

/** One filter: 1 for each row that passes. */
export interface Dimension {
  /** Name of a column, or `topics`, `search` or `area` in another namespace. */
  key: string;
  passes: Uint8Array;
}

/** The rows that pass all filters, and of the others those that fail at one filter only. */
export interface Crossed {
  /** 1 for each row that passes all. */
  mask: Uint8Array;
  /** Rows that pass all. */
  count: number;
  /** Number of the only filter at which a row fails; −1 if it passes all, −2 if it fails at several. */
  failedAt: Int16Array;
  keys: readonly string[];
}

const SEVERAL = -2;

/** Applies all filters to `rows` rows. */
export function crossFilter(rows: number, dimensions: readonly Dimension[]): Crossed {
  const failedAt = new Int16Array(rows).fill(-1);
  for (const [n, { passes }] of dimensions.entries()) {
    for (let row = 0; row < rows; row++) {
      if (passes[row] === 0) failedAt[row] = failedAt[row] === -1 ? n : SEVERAL;
    }
  }
  const mask = new Uint8Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (failedAt[row] !== -1) continue;
    mask[row] = 1;
    count += 1;
  }
  return { mask, count, failedAt, keys: dimensions.map(({ key }) => key) };
}

/**
 * Counts the rows of each code that pass all filters except the one named `key`.
 * @param codes code of each row; negative ones are not counted
 */
export function crossCounts(
  { failedAt, keys }: Crossed,
  key: string | null,
  codes: Int16Array | Int32Array,
  size: number,
): Uint32Array {
  const own = key === null ? SEVERAL - 1 : keys.indexOf(key);
  const counts = new Uint32Array(size);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    const failed = failedAt[row]!;
    if (code >= 0 && (failed === -1 || (failed === own && own >= 0))) counts[code]! += 1;
  }
  return counts;
}

/** The rows whose value matches a filter; none if the filter is of another kind than the column. */
export function columnMask(values: ColumnValues, filter: ColumnFilter): Uint8Array {
  if (values.kind === 'category') {
    const { codes } = values;
    const mask = new Uint8Array(codes.length);
    if (filter.kind !== 'in') return mask;
    const wanted = new Set(filter.values);
    const isWanted = values.values.map((value) => wanted.has(value));
    for (let row = 0; row < codes.length; row++) if (isWanted[codes[row]!]) mask[row] = 1;
    return mask;
  }
  const { numbers } = values;
  const mask = new Uint8Array(numbers.length);
  if (filter.kind !== 'range') return mask;
  const from = filter.from ?? Number.NEGATIVE_INFINITY;
  const to = filter.to ?? Number.POSITIVE_INFINITY;
  for (let row = 0; row < numbers.length; row++)
    if (numbers[row]! >= from && numbers[row]! <= to) mask[row] = 1;
  return mask;
}

/** The rows of some topics. */
export function topicMask(topicOf: Int16Array, topics: readonly number[]): Uint8Array {
  const wanted = new Set(topics);
  return Uint8Array.from(topicOf, (topic) => Number(wanted.has(topic)));
}

/** A mask of single rows. */
export function rowMask(rows: number, chosen: Iterable<number>): Uint8Array {
  const mask = new Uint8Array(rows);
  for (const row of chosen) if (row < rows) mask[row] = 1;
  return mask;
}

/**
 * The rows inside a polygon on the map, by the even-odd rule.
 * @param points x and y of each row, interleaved; rows at NaN are outside
 * @param area x and y of each corner, interleaved
 */
export function areaMask(points: Float32Array, area: readonly number[]): Uint8Array {
  const rows = points.length / 2;
  const mask = new Uint8Array(rows);
  const corners = area.length / 2;
  for (let row = 0; row < rows; row++) {
    const x = points[2 * row]!;
    const y = points[2 * row + 1]!;
    let isInside = false;
    for (let n = 0, before = corners - 1; n < corners; before = n++) {
      const [ax, ay, bx, by] = [area[2 * n]!, area[2 * n + 1]!, area[2 * before]!, area[2 * before + 1]!];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
    }
    if (isInside) mask[row] = 1;
  }
  return mask;
}

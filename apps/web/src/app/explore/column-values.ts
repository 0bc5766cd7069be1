/** Values of a kept column in arrays that filters, colours and charts read. */

import type { RunColumnValues } from '@embedmill/contract';

/** One value per row. */
export type ColumnValues =
  | {
      kind: 'category';
      values: readonly string[];
      /** Index into `values`; −1 without a value. */
      codes: Int32Array;
    }
  | {
      kind: 'number' | 'date';
      /** Dates in ms since 1970; NaN without a value. */
      numbers: Float64Array;
    };

/** Converts a response of the API. */
export function columnValuesOf(reply: RunColumnValues): ColumnValues {
  if (reply.kind === 'category') {
    return { kind: 'category', values: reply.values, codes: Int32Array.from(reply.codes) };
  }
  const given = reply.kind === 'number' ? reply.numbers : reply.times;
  return { kind: reply.kind, numbers: Float64Array.from(given, (n) => n ?? Number.NaN) };
}

/** The smallest and largest of the numbers; `null` if there are none. */
export function rangeOf(numbers: Float64Array): { min: number; max: number } | null {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const n of numbers) {
    if (n < min) min = n;
    if (n > max) max = n;
  }
  return min > max ? null : { min, max };
}

/** Reads the values of described columns in row order, and selects rows by them. */

import { type ColumnCondition, columnValue, type KeptValue, quote, RequestError } from '@embedmill/contract';
import { readRowsSent, readVerdicts, resultsShape } from '../read-results.ts';
import type { Run } from '../run.ts';
import { characters, type DescribedColumn } from './describe.ts';
import { parseDate, parseNumber } from './parse.ts';

/** The values of a column: codes of a category (-1 missing), or numbers and times (NaN missing). */
export type PackedColumn = Int32Array | Float64Array;

/** Bytes of a packed value. */
export function packedBytes(column: DescribedColumn): number {
  return column.kind === 'category' ? 4 : 8;
}

/**
 * Reads columns in one pass over the rows.
 * @param columns not of kind `text`
 * @throws {CorruptError} when a file is damaged
 */
export async function readColumns(run: Run, columns: readonly DescribedColumn[]): Promise<PackedColumn[]> {
  const { rows } = resultsShape(run);
  const packed = columns.map((column) =>
    column.kind === 'category' ? new Int32Array(rows).fill(-1) : new Float64Array(rows).fill(Number.NaN),
  );
  const readers = columns.map(readerOf);
  const isVerdict = ({ name, source }: DescribedColumn) => source === 'run' && name === 'verdict';
  if (!columns.every(isVerdict)) {
    for await (const block of readRowsSent(run)) {
      for (const { row, text, columns: values } of block) {
        for (const [i, { name, source }] of columns.entries()) {
          if (source === 'input') {
            const value = columnValue(values, name);
            if (value !== undefined) packed[i]![row] = readers[i]!(value);
          } else if (name === 'length' && text !== null) packed[i]![row] = characters(text);
        }
      }
    }
  }
  const verdicts = packed[columns.findIndex(isVerdict)];
  if (verdicts !== undefined) {
    let row = 0;
    for await (const codes of readVerdicts(run)) {
      verdicts.set(codes, row);
      row += codes.length;
    }
  }
  return packed;
}

function readerOf({ kind, values, order }: DescribedColumn): (value: KeptValue) => number {
  if (kind === 'number') return parseNumber;
  if (kind === 'date') return (value) => parseDate(value, order);
  const codes = new Map(values.map((value, code) => [value, code]));
  return (value) => codes.get(String(value)) ?? -1;
}

const DAY_MS = 86_400_000;

/**
 * Clears the rows of a mask whose value does not match; missing values never match.
 * @param mask one byte per row, 1 for rows that match so far
 * @throws {RequestError} `invalid-filter` for a bound that does not fit the column
 */
export function applyCondition(
  mask: Uint8Array,
  column: DescribedColumn,
  packed: PackedColumn,
  condition: ColumnCondition,
): void {
  const matches = matcherOf(column, condition);
  if (column.kind === 'category') {
    const isMatch = column.values.map(matches);
    for (let row = 0; row < mask.length; row++) if (!isMatch[packed[row]!]) mask[row] = 0;
    return;
  }
  for (let row = 0; row < mask.length; row++)
    if (Number.isNaN(packed[row]) || !matches(packed[row]!)) mask[row] = 0;
}

function matcherOf(column: DescribedColumn, condition: ColumnCondition): (value: string | number) => boolean {
  const { kind, order } = column;
  const numberOf = (given: string | number): number => {
    const number =
      kind === 'date' && typeof given === 'string' ? parseDate(given, order) : parseNumber(given);
    if (!Number.isNaN(number)) return number;
    const expected = kind === 'date' ? 'a date such as 2025-03-04' : 'a number';
    throw new RequestError(
      'invalid-filter',
      `the filter of the column ${quote(column.name)} has ${quote(given)}; expected ${expected}`,
      { facts: { column: column.name } },
    );
  };
  const from = condition.from === undefined ? Number.NEGATIVE_INFINITY : numberOf(condition.from);
  const to = condition.to === undefined ? Number.POSITIVE_INFINITY : endOf(condition.to, numberOf, kind);
  const hasRange = condition.from !== undefined || condition.to !== undefined;
  const wanted =
    condition.in && new Set<string | number>(kind === 'category' ? condition.in : condition.in.map(numberOf));
  return (value) => {
    if (wanted !== undefined && !wanted.has(value)) return false;
    if (!hasRange) return true;
    const number = typeof value === 'number' ? value : parseNumber(value);
    return number >= from && number <= to;
  };
}

/** A day without a time ends with its last millisecond. */
function endOf(
  given: string | number,
  numberOf: (given: string | number) => number,
  kind: DescribedColumn['kind'],
): number {
  const isDay = kind === 'date' && typeof given === 'string' && !given.includes(':');
  return numberOf(given) + (isDay ? DAY_MS - 1 : 0);
}

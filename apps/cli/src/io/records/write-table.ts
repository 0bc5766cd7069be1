/** Writes tables of results atomically: CSV, Parquet or XLSX, by the extension of the path. */

import { createWriteStream } from 'node:fs';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FLAT_FORMATS, type FlatCell, type FlatColumn, type FlatFormat } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import { replaceFile } from '../output/replace-file.ts';

/** A cell; CSV keeps all digits of a number. */
export type TableCell = Exclude<FlatCell, null> | bigint;

/** Rows that are encoded at a time. */
const BATCH_ROWS = 1000;

/**
 * Writes a header and one record per row. The file appears once it is complete. Spreadsheets run no cell of it.
 * @param columns names of columns of texts, or columns
 */
export async function writeTable(
  path: string,
  columns: readonly (string | FlatColumn)[],
  rows: Iterable<readonly TableCell[]> | AsyncIterable<readonly TableCell[]>,
): Promise<void> {
  const format = Object.values(FLAT_FORMATS).find(
    ({ extension }) => extension === extname(path).toLowerCase(),
  )!;
  const typed = columns.map(
    (column): FlatColumn => (typeof column === 'string' ? { name: column, kind: 'text' } : column),
  );
  await replaceFile(path, (draft) =>
    pipeline(
      Readable.from(format.encode(typed, inBatches(rows, { columns: typed, format }))),
      createWriteStream(draft),
    ),
  );
}

/** @throws {UsageError} for more rows than the format holds */
async function* inBatches(
  rows: Iterable<readonly TableCell[]> | AsyncIterable<readonly TableCell[]>,
  { columns, format }: { columns: readonly FlatColumn[]; format: FlatFormat },
): AsyncGenerator<FlatCell[][]> {
  const { maxRows } = format;
  const isText = format === FLAT_FORMATS.csv;
  let batch: FlatCell[][] = [];
  let count = 0;
  for await (const row of rows) {
    count += 1;
    if (count > maxRows)
      throw new UsageError(`the output has more than ${maxRows.toLocaleString('en')} rows; use .csv`);
    batch.push(row.map((cell, i) => flatCell(cell, isText ? 'text' : columns[i]!.kind)));
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Numbers may be given as texts with the digits that CSV has. */
function flatCell(cell: TableCell, kind: FlatColumn['kind']): FlatCell {
  if (kind === 'number') return cell === '' ? null : Number(cell);
  return typeof cell === 'bigint' ? String(cell) : cell;
}

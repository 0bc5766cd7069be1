/** Writes CSV files atomically. */

import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { quote } from '@embedmill/contract';
import { inertCell } from '@embedmill/core/formats';
import { stringify } from 'csv-stringify';
import { UsageError } from '../../shell/exit-codes.ts';

/**
 * Checks an output path before any work starts.
 * @throws {UsageError} for another extension or a missing folder
 */
export function checkCsvPath(path: string): void {
  if (!/\.csv$/i.test(path)) throw new UsageError(`the output ${quote(path, 200)} must end in .csv`);
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${quote(folder, 200)} for the output`);
}

/** Readers take each of them as the end of a record. */
const LINE_END = /[\r\n]/;

/** A cell; numbers keep all digits. */
export type CsvCell = string | number | bigint;

/** Writes a header and one record per row. The file appears once it is complete. Spreadsheets run no cell of it. */
export async function writeCsv(
  path: string,
  columns: readonly string[],
  rows: Iterable<readonly CsvCell[]> | AsyncIterable<readonly CsvCell[]>,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.embedmill`);
  try {
    await pipeline(
      Readable.from(cellsOf(columns, rows)),
      stringify({ quoted_match: LINE_END }),
      createWriteStream(draft),
    );
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function* cellsOf(
  columns: readonly string[],
  rows: Iterable<readonly CsvCell[]> | AsyncIterable<readonly CsvCell[]>,
): AsyncGenerator<CsvCell[]> {
  yield columns.map(inertCell);
  for await (const row of rows) yield row.map((cell) => (typeof cell === 'string' ? inertCell(cell) : cell));
}

/** Writes flat tables as CSV (RFC 4180) with a header; spreadsheets run no cell of it. */

import { inertCell } from './inert-cell.ts';
import type { FlatCell, FlatColumn, FlatFormat, FlatRows } from './types.ts';

/** CSV has no limit; a missing value is an empty cell. */
export const csv: FlatFormat = {
  contentType: 'text/csv; charset=utf-8',
  extension: '.csv',
  maxRows: Number.POSITIVE_INFINITY,
  encode: encodeCsv,
};

async function* encodeCsv(columns: readonly FlatColumn[], rows: FlatRows): AsyncGenerator<Uint8Array> {
  yield Buffer.from(lineOf(columns.map(({ name }) => name)));
  for await (const some of rows) yield Buffer.from(some.map(lineOf).join(''));
}

function lineOf(cells: readonly FlatCell[]): string {
  return `${cells.map(cellText).join(',')}\n`;
}

function cellText(cell: FlatCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = inertCell(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

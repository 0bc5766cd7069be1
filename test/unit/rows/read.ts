/** Feeds texts and bytes to the readers of rows; the tests beside it call it. */
import type { BadRow, RowRead } from '@embedmill/contract';
import { type ReadRowsOptions, readRows } from '@embedmill/core/formats';

/** One string or buffer as a stream, in pieces of `pieceBytes` if given. */
export async function* streamOf(
  input: string | Uint8Array,
  pieceBytes = Infinity,
): AsyncGenerator<Uint8Array> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield bytes.subarray(at, Math.min(bytes.length, at + pieceBytes));
  }
}

/** All rows of an input. */
export async function readAll(
  input: string | Uint8Array,
  options: ReadRowsOptions,
  pieceBytes?: number,
): Promise<RowRead[]> {
  const rows: RowRead[] = [];
  for await (const some of readRows(streamOf(input, pieceBytes), options)) rows.push(...some);
  return rows;
}

/** Rows in short: the text of a good one, the code of a bad one. */
export function brief(rows: readonly RowRead[]): string[] {
  return rows.map((row) => (row.ok ? row.text : `!${row.code}`));
}

/** The first row, which the test expects to be bad. */
export function firstBad(rows: readonly RowRead[]): BadRow {
  const [row] = rows;
  if (row === undefined || row.ok) throw new Error(`expected a bad row, got ${JSON.stringify(row)}`);
  return row;
}

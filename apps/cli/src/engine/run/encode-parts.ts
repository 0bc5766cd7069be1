/** Encodes rows as the parts sent to a producer. Deterministic: the same rows give the same bytes. */

import { createHash } from 'node:crypto';
import { DEFAULT_PART_ROWS, type RowRead } from '@embedmill/contract';
import { formatBytes } from '../../shell/terminal/numbers.ts';

/** The rows of one request. */
export interface Part {
  /** Part number, from 1. */
  number: number;
  rows: number;
  /** JSON lines. */
  body: Buffer;
}

/** Limits of one part. */
export interface PartLimits {
  /** Maximum rows per part. */
  maxRows: number;
  /** A part ends with the row that reaches this size. */
  maxBytes: number;
  /** The producer's limit for one line. */
  maxRowBytes: number;
}

/**
 * Limits of every command. The number of rows is a multiple of a batch, so that no part ends with a small
 * batch.
 */
export const PART_LIMITS = { maxRows: DEFAULT_PART_ROWS, maxBytes: 4_000_000 } as const;

/** Yields the parts of all rows. A row without a usable text is sent too, so that it keeps its place. */
export async function* encodeParts(
  slices: AsyncIterable<readonly RowRead[]>,
  { maxRows, maxBytes, maxRowBytes }: PartLimits,
): AsyncGenerator<Part> {
  let lines: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  const close = (): Part => {
    const part = { number, rows: lines.length, body: Buffer.concat(lines) };
    lines = [];
    bytes = 0;
    number += 1;
    return part;
  };
  for await (const slice of slices) {
    for (const row of slice) {
      const line = encodeRow(row, maxRowBytes);
      lines.push(line);
      bytes += line.length;
      if (lines.length >= maxRows || bytes >= maxBytes) yield close();
    }
  }
  if (lines.length > 0) yield close();
}

/** SHA-256 of a part's body in hexadecimal, as in receipts. */
export function digestOf({ body }: Part): string {
  return createHash('sha256').update(body).digest('hex');
}

/** Yields the first `limit` rows, then closes the source. */
export async function* firstRows<Row extends RowRead>(
  slices: AsyncIterable<Row[]>,
  limit: number,
): AsyncGenerator<Row[]> {
  let left = limit;
  if (left === 0) return;
  for await (const slice of slices) {
    yield slice.slice(0, left);
    left -= slice.length;
    if (left <= 0) return;
  }
}

/** Gives each row without an id the id that it would have in one run: its number, from 1. */
export async function* withIds<Row extends RowRead>(slices: AsyncIterable<Row[]>): AsyncGenerator<Row[]> {
  let number = 0;
  for await (const slice of slices) {
    yield slice.map((row) => {
      number += 1;
      return row.id === null ? { ...row, id: String(number) } : row;
    });
  }
}

/** Encodes one row. JSON may be longer than the input; a row over the limit becomes a bad row. */
function encodeRow(row: RowRead, maxRowBytes: number): Buffer {
  const line = Buffer.from(`${JSON.stringify(fieldsOf(row))}\n`);
  if (line.length <= maxRowBytes) return line;
  const message = `the row has ${formatBytes(line.length)} as JSON; expected at most ${formatBytes(maxRowBytes)}`;
  const tooLarge = { ok: false, line: row.line, id: row.id, code: 'row-too-large', message } as const;
  return Buffer.from(`${JSON.stringify(fieldsOf({ ...tooLarge, keepsPlace: true }))}\n`);
}

function fieldsOf(row: RowRead): Record<string, unknown> {
  const id = row.id === null ? {} : { id: row.id };
  return row.ok
    ? { ...id, text: row.text, line: row.line }
    : { ...id, line: row.line, error: { code: row.code, message: row.message } };
}

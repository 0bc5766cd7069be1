/** Cuts rows into the parts that are sent to a producer; the same rows give the same parts, byte for byte. */

import { createHash } from 'node:crypto';
import type { RowRead } from '@embedmill/contract';
import { formatBytes } from '../../shell/terminal/numbers.ts';

/** NDJSON for one request. */
export interface Part {
  /** From 1. */
  number: number;
  rows: number;
  body: Buffer;
}

/** How to cut. */
export interface PartLimits {
  /** Rows of a part. */
  maxRows: number;
  /** Bytes of a part; a part ends with the row that reaches it. */
  maxBytes: number;
  /** The producer's limit for one line of a part. */
  maxRowBytes: number;
}

/** 2 016 rows are eight batches of the default 252, so that no part ends with a small batch. */
export const PART_LIMITS = { maxRows: 2016, maxBytes: 4_000_000 } as const;

/** The parts of all rows; a row without a usable text is sent as such, so that it keeps its place. */
export async function* cutParts(
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

/** SHA-256 of a part's body in hexadecimal, as in its receipt. */
export function digestOf({ body }: Part): string {
  return createHash('sha256').update(body).digest('hex');
}

/** The first `limit` rows; the source is closed then. */
export async function* firstRows(slices: AsyncIterable<RowRead[]>, limit: number): AsyncGenerator<RowRead[]> {
  let left = limit;
  if (left === 0) return;
  for await (const slice of slices) {
    yield slice.slice(0, left);
    left -= slice.length;
    if (left <= 0) return;
  }
}

/** JSON may need more bytes for a text than the input did; what no longer fits is a bad row too. */
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

/** Checks the bytes of a record, and reports the faults that all formats share as bad rows. */

import { isUtf8 } from 'node:buffer';
import { type BadRow, quote, type RowErrorCode } from '@embedmill/contract';
import { QUOTED_BYTES, type RawRecord } from './record.ts';
import type { RowSettings } from './types.ts';

/** Makes a bad row; `line` counts from 1. */
export function badRow(line: number, id: string | null, code: RowErrorCode, message: string): BadRow {
  return { ok: false, line, id, code, message };
}

/** The bad row of a record that is malformed or not UTF-8; null if the record can be decoded. */
export function faultOf(record: RawRecord, settings: RowSettings): BadRow | null {
  const { bytes, line, lines, fault } = record;
  if (fault === 'row-too-large') {
    const message = `the row is longer than ${settings.maxRowBytes} bytes, the maximum; it starts with ${quoteBytes(bytes)}`;
    return badRow(line, null, fault, message);
  }
  if (fault === 'unclosed-quote') {
    const span = lines === 1 ? '' : ` (${lines} lines skipped)`;
    const message = `unbalanced quotes in ${quoteBytes(bytes)}${span}; expected a quoted field to end with one quote before a delimiter or line end, and quotes inside it to be doubled`;
    return badRow(line, null, fault, message);
  }
  if (isUtf8(bytes)) return null;
  if (settings.charset !== 'utf-8') {
    const message = `the row has bytes that are not ${settings.charset}, in ${quoteBytes(bytes)}; expected text in this charset`;
    return badRow(line, null, 'invalid-utf8', message);
  }
  const at = firstInvalidByte(bytes);
  const value = `0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
  const message = `byte ${at + 1} of the row (${value}) is not UTF-8, in ${quoteBytes(bytes)}; expected UTF-8 text`;
  return badRow(line, null, 'invalid-utf8', message);
}

function quoteBytes(bytes: Buffer): string {
  return quote(bytes.toString('utf8', 0, QUOTED_BYTES));
}

/** Offset of the first byte that is not well-formed UTF-8; there must be one. */
function firstInvalidByte(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  let at = 0;
  // Decoding puts U+FFFD for every fault, but the text may also contain a real one (EF BF BD).
  for (const part of text.split('\ufffd')) {
    at += Buffer.byteLength(part);
    if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbf || bytes[at + 2] !== 0xbd) return at;
    at += 3;
  }
  return at;
}

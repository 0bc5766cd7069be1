/** Turns the bytes of a record into text, and the faults all formats share into bad rows. */
import { isUtf8 } from 'node:buffer';
import { type BadRow, quote, type RowErrorCode } from '@embedmill/contract';
import { quotedBytes, type RawRecord } from './record.ts';
import type { RowSettings } from './types.ts';

/** A row without a text, with the reason. */
export function badRow(line: number, id: string | null, code: RowErrorCode, message: string): BadRow {
  return { ok: false, line, id, code, message };
}

/** The bad row of a record that is cut wrongly or is no UTF-8, or null when it can be decoded. */
export function faultOf(record: RawRecord, settings: RowSettings): BadRow | null {
  const { bytes, line, lines, fault } = record;
  if (fault === 'row-too-large') {
    const message = `the row is longer than ${settings.maxRowBytes} bytes, the limit for one row; it starts with ${quoteBytes(bytes)}`;
    return badRow(line, null, fault, message);
  }
  if (fault === 'unclosed-quote') {
    const span = lines === 1 ? '' : ` (${lines} lines were given up)`;
    const message = `the quotes of ${quoteBytes(bytes)} do not add up${span}: a quoted field ends with one quote before a delimiter or line end, and a quote inside it is written twice`;
    return badRow(line, null, fault, message);
  }
  if (isUtf8(bytes)) return null;
  const at = firstInvalidByte(bytes);
  const value = `0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
  const message = `byte ${at + 1} of the row (${value}) is not UTF-8, in ${quoteBytes(bytes)}; expected text in UTF-8`;
  return badRow(line, null, 'invalid-utf8', message);
}

function quoteBytes(bytes: Buffer): string {
  return quote(bytes.toString('utf8', 0, quotedBytes));
}

/** Offset of the first byte that is not part of well-formed UTF-8; only called when there is one. */
function firstInvalidByte(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  let at = 0;
  // Decoding put U+FFFD for every fault, but the text may also hold a real one (EF BF BD).
  for (const part of text.split('\ufffd')) {
    at += Buffer.byteLength(part);
    if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbf || bytes[at + 2] !== 0xbd) return at;
    at += 3;
  }
  return at;
}

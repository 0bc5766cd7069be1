/** Reads rows from bytes: request bodies in the producer, files and stdin in the CLI. */

import { isUtf8 } from 'node:buffer';
import type { RowRead } from '@embedmill/contract';
import { CsvParser } from './csv.ts';
import { CsvRecordSplitter } from './csv-records.ts';
import { faultOf } from './decode.ts';
import { JsonValueSplitter } from './json-values.ts';
import { parseJsonl } from './jsonl.ts';
import { LineSplitter } from './lines.ts';
import type { RawRecord, Splitter } from './record.ts';
import { transcode } from './transcode.ts';
import { type FieldsRow, lineEndByte, type ReadRowsOptions, type RowSettings, settingsOf } from './types.ts';

/**
 * Size of each block but the last, in bytes. One block becomes one array of rows, small enough for the CPU
 * cache.
 */
const BLOCK_BYTES = 64 * 1024;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The rows of an input in order, as one array per 64 KiB of input. Does not read ahead of the caller; holds
 * one block, its rows, and one unfinished record of at most `maxRowBytes`.
 *
 * An invalid row becomes a `BadRow` and does not affect its neighbours. A byte order mark at the start is
 * dropped; lines end with LF or CRLF, the last one also with the input. Blank lines are skipped in jsonl, csv
 * and tsv (they still count as lines); in txt they are rows with an empty text. Errors of the source pass
 * through.
 *
 * @throws {EmbedmillError} `missing-column` (facts: `column`, `found`) or `invalid-header`, for a whole CSV
 * or TSV input
 */
export async function* readRows(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadRowsOptions,
): AsyncGenerator<FieldsRow[]> {
  const settings = settingsOf(options);
  const splitter = splitterFor(settings);
  const parser = parserFor(settings);
  for await (const block of cutBlocks(transcode(bytes, settings.charset))) {
    const rows = parser.parse(splitter.push(block));
    if (rows.length > 0) yield rows;
  }
  const rows = parser.parse(splitter.end());
  parser.end?.();
  if (rows.length > 0) yield rows;
}

/** One line of an input with its number, counted from 1, or the reason why it cannot be read. */
export type LineRead = { line: number; text: string } | { line: number; fault: 'too-long' | 'invalid-utf8' };

/**
 * The lines of an input in order, as one array per 64 KiB of input, for formats other than rows. Blank lines
 * are skipped but counted; a byte order mark at the start is dropped.
 * @param maxLineBytes maximum length of a line in bytes, without its line end
 */
export async function* readTextLines(
  bytes: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<LineRead[]> {
  const splitter = new LineSplitter(maxLineBytes);
  const decode = (records: readonly RawRecord[]): LineRead[] =>
    records.flatMap(({ bytes, line, fault }): LineRead[] => {
      if (fault !== null) return [{ line, fault: 'too-long' }];
      if (!isUtf8(bytes)) return [{ line, fault: 'invalid-utf8' }];
      const text = bytes.toString();
      return text.trim() === '' ? [] : [{ line, text }];
    });
  for await (const block of cutBlocks(bytes)) yield decode(splitter.push(block));
  yield decode(splitter.end());
}

/**
 * Yields the bytes of an input in blocks of `BLOCK_BYTES`, so that parsers do not depend on the size of its
 * chunks, without a UTF-8 byte order mark at the start. Holds at most one block; a block is not modified
 * after it was yielded. Yields only when a block is full or the input ends.
 */
async function* cutBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  let first = true;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, BLOCK_BYTES - filled);
      block.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < BLOCK_BYTES) continue;
      yield first ? withoutMark(block) : block;
      first = false;
      block = Buffer.allocUnsafe(BLOCK_BYTES);
      filled = 0;
    }
  }
  if (filled === 0) return;
  const rest = block.subarray(0, filled);
  yield first ? withoutMark(rest) : rest;
}

function withoutMark(block: Buffer): Buffer {
  return block.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? block.subarray(BYTE_ORDER_MARK.length)
    : block;
}

/**
 * Parses lines of plain text into rows without ids. Every line is a row, blank or not, so that row n is line
 * n.
 */
function parseTxt(records: readonly RawRecord[], settings: RowSettings): RowRead[] {
  return records.map(
    (record) =>
      faultOf(record, settings) ?? { ok: true, line: record.line, id: null, text: record.bytes.toString() },
  );
}

/** Parses the records of one format into rows. */
export interface Parser {
  parse(records: readonly RawRecord[]): FieldsRow[];
  end?(): void;
}

/** The parser of a format. */
export function parserFor(settings: RowSettings): Parser {
  switch (settings.format) {
    case 'jsonl':
    case 'json':
      return { parse: (records) => parseJsonl(records, settings) };
    case 'txt':
      return { parse: (records) => parseTxt(records, settings) };
    default:
      return new CsvParser(settings);
  }
}

/** The splitter of a format. */
export function splitterFor(settings: RowSettings): Splitter {
  const { format, delimiter, quote, maxRowBytes } = settings;
  const lineEnd = lineEndByte(settings);
  if (format === 'json') return new JsonValueSplitter(maxRowBytes);
  if (format === 'jsonl' || format === 'txt' || quote === null) return new LineSplitter(maxRowBytes, lineEnd);
  const marks = { delimiter: delimiter.charCodeAt(0), quote: quote.charCodeAt(0), lineEnd };
  return new CsvRecordSplitter(marks, maxRowBytes);
}

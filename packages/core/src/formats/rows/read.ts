/** Reads rows from bytes: the producer calls it with request bodies, the CLI with files and stdin. */

import { isUtf8 } from 'node:buffer';
import type { RowRead } from '@embedmill/contract';
import { cutBlocks } from './blocks.ts';
import { CsvParser, columnsOf, delimiterOf } from './csv.ts';
import { CsvRecordSplitter } from './csv-records.ts';
import { keysOfLine, parseJsonl } from './jsonl.ts';
import { LineSplitter } from './lines.ts';
import type { RawRecord, Splitter } from './record.ts';
import { parseTxt } from './txt.ts';
import { type ReadRowsOptions, type RowFormat, type RowSettings, rowDefaults } from './types.ts';

/**
 * The rows of an input in order, as one array per 64 KiB of input. Nothing is read ahead of the caller; what is held is
 * one block, its rows, and one unfinished record of at most `maxRowBytes`.
 *
 * A row that cannot be used becomes a `BadRow` and the rows around it are not touched. A byte order mark at the start
 * is dropped, LF and CRLF end lines, and the last line needs no end. Blank lines: jsonl, csv and tsv skip them (they
 * still count as lines), in txt they are rows with an empty text.
 *
 * Throws `missing-column` (facts: `column`, `found`) and `invalid-header` for a CSV or TSV input as a whole; what the
 * source throws passes through.
 */
export async function* readRows(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadRowsOptions,
): AsyncGenerator<RowRead[]> {
  const settings: RowSettings = { ...rowDefaults, ...options };
  const splitter = splitterFor(settings);
  const parser = parserFor(settings);
  for await (const block of cutBlocks(bytes)) {
    const rows = parser.parse(splitter.push(block));
    if (rows.length > 0) yield rows;
  }
  const rows = parser.parse(splitter.end());
  parser.end?.();
  if (rows.length > 0) yield rows;
}

/**
 * The names a caller may choose the text and the id from: the columns of a CSV or TSV header, or the keys of the first
 * JSON object; none for txt, and none when the input holds no record. Reads no more than it needs and then closes the
 * source. Throws `invalid-header`.
 */
export async function readFields(
  bytes: AsyncIterable<Uint8Array>,
  options: { readonly format: RowFormat; readonly maxRowBytes?: number },
): Promise<string[]> {
  const settings: RowSettings = { ...rowDefaults, ...options };
  if (settings.format === 'txt') return [];
  const splitter = splitterFor(settings);
  for await (const block of cutBlocks(bytes)) {
    const fields = fieldsIn(splitter.push(block), settings);
    if (fields !== null) return fields;
  }
  return fieldsIn(splitter.end(), settings) ?? [];
}

/** One line of an input. */
export type LineRead = { line: number; text: string } | { line: number; fault: 'too-long' | 'invalid-utf8' };

/**
 * The lines of an input in order, as one array per 64 KiB of it, for formats that are no rows. Blank lines are left
 * out and still count; a byte order mark at the start is dropped.
 * @param maxLineBytes longest line, without its end
 */
export async function* readLines(
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

/** How the records of one format become rows. */
interface Parser {
  parse(records: readonly RawRecord[]): RowRead[];
  end?(): void;
}

function parserFor(settings: RowSettings): Parser {
  switch (settings.format) {
    case 'jsonl':
      return { parse: (records) => parseJsonl(records, settings) };
    case 'txt':
      return { parse: (records) => parseTxt(records, settings) };
    default:
      return new CsvParser(settings.format, settings);
  }
}

function splitterFor({ format, maxRowBytes }: RowSettings): Splitter {
  if (format === 'jsonl' || format === 'txt') return new LineSplitter(maxRowBytes);
  return new CsvRecordSplitter(delimiterOf(format).charCodeAt(0), maxRowBytes);
}

function fieldsIn(records: readonly RawRecord[], settings: RowSettings): string[] | null {
  for (const record of records) {
    if (record.bytes.length === 0) continue;
    const { format } = settings;
    if (format === 'csv' || format === 'tsv') return columnsOf(record, delimiterOf(format), settings);
    const keys = keysOfLine(record, settings);
    if (keys !== null) return keys;
  }
  return null;
}

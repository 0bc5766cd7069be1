/** Reads records with named fields from .jsonl, .csv and .tsv, optionally .gz. */

import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { CorruptError, quote } from '@embedmill/contract';
import { formatOfName, gunzip } from '@embedmill/core/formats';
import { parse } from 'csv-parse';
import { UsageError } from '../../shell/exit-codes.ts';

/** One record and its position. */
export interface FileRecord {
  /** File and line for messages, such as `pairs.csv:7`. */
  place: string;
  /** Values by field name; strings in .csv and .tsv. */
  fields: Readonly<Record<string, unknown>>;
}

/** Yields the records in order. @throws {UsageError} for a missing or invalid file */
export async function* readRecords(path: string): AsyncGenerator<FileRecord> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${quote(path, 200)}`);
  const format = formatOfName(path);
  if (format !== 'jsonl' && format !== 'csv' && format !== 'tsv') {
    throw new UsageError(
      `the name ${quote(path, 200)} must end in .jsonl, .csv or .tsv, or one of these with .gz`,
    );
  }
  const file = createReadStream(path);
  const text = Readable.from(decode(path.toLowerCase().endsWith('.gz') ? gunzip(file) : file, path));
  yield* format === 'jsonl' ? jsonRecords(text, path) : tableRecords(text, path, format);
}

/** Decodes UTF-8, without the byte order mark. @throws {UsageError} for invalid UTF-8 or gzip */
async function* decode(bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  const read = (block: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(block, { stream });
    } catch (cause) {
      const [before] = new TextDecoder().decode(block).split('\ufffd', 1);
      const place = `near line ${line + breaksIn(before!)}`;
      throw new UsageError(`${quote(path, 200)} is not UTF-8 ${place}; expected text in UTF-8`, { cause });
    }
  };
  try {
    for await (const block of bytes) {
      const text = read(block, true);
      line += breaksIn(text);
      yield text;
    }
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    throw new UsageError(`${quote(path, 200)} cannot be read: ${thrown.message}`, { cause: thrown });
  }
  yield read(new Uint8Array(), false);
}

function breaksIn(text: string): number {
  return text.split('\n').length - 1;
}

async function* jsonRecords(bytes: Readable, path: string): AsyncGenerator<FileRecord> {
  let line = 0;
  for await (const text of createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    const place = `${path}:${line}`;
    let fields: unknown;
    try {
      fields = JSON.parse(text);
    } catch (cause) {
      throw new UsageError(`${place} is not JSON: ${quote(text)}`, { cause });
    }
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
      throw new UsageError(`${place} is ${quote(fields)}; expected a JSON object`);
    }
    yield { place, fields: fields as Record<string, unknown> };
  }
}

async function* tableRecords(
  bytes: Readable,
  path: string,
  format: 'csv' | 'tsv',
): AsyncGenerator<FileRecord> {
  const records = bytes.compose(
    parse({
      columns: true,
      info: true,
      bom: true,
      skip_empty_lines: true,
      delimiter: format === 'csv' ? ',' : '\t',
      // Most TSV files, such as the qrels of BEIR, use no quotes.
      quote: format === 'csv' ? '"' : null,
    }),
  );
  try {
    for await (const { record, info } of records) yield { place: `${path}:${info.lines}`, fields: record };
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    throw new UsageError(`${quote(path, 200)} cannot be read as ${format}: ${problem}`, { cause: thrown });
  }
}

/** The value of a string field. @throws {UsageError} that lists the existing fields */
export function textField({ fields, place }: FileRecord, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new UsageError(
    value === undefined
      ? `${place} has no ${quote(name)}; its fields are ${Object.keys(fields)
          .map((key) => quote(key))
          .join(', ')}`
      : `${place} has the ${quote(name)} ${quote(value)}; expected a string`,
  );
}

/** The value of a numeric field; strings are converted. @throws {UsageError} for anything else */
export function numberField({ fields, place }: FileRecord, name: string): number {
  const value = fields[name];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new UsageError(`${place} has the ${quote(name)} ${quote(value)}; expected a number`);
}

/** Parses CSV and TSV: a header line, then records; blank lines are skipped. */

import { EmbedmillError, quote, type RowRead } from '@embedmill/contract';
import { parse } from 'csv-parse/sync';
import { badRow, faultOf } from './decode.ts';
import { readId } from './id.ts';
import type { RawRecord } from './record.ts';
import { ROW_DEFAULTS, type RowSettings } from './types.ts';

const NEWLINE = Buffer.from('\n');

/** The delimiter between two fields of a format. */
export function delimiterOf(format: 'csv' | 'tsv'): ',' | '\t' {
  return format === 'csv' ? ',' : '\t';
}

/** Reads the header record, then turns every record into one row. */
export class CsvParser {
  readonly #settings: RowSettings;
  readonly #delimiter: ',' | '\t';
  #header: { width: number; text: number; id: number } | null = null;

  constructor(format: 'csv' | 'tsv', settings: RowSettings) {
    this.#settings = settings;
    this.#delimiter = delimiterOf(format);
  }

  /**
   * Parses records into rows, in order.
   * @throws {EmbedmillError} `missing-column` or `invalid-header`, for the whole input
   */
  parse(records: readonly RawRecord[]): RowRead[] {
    const filled = records.filter((record) => record.bytes.length > 0);
    const header = this.#header ?? this.#readHeader(filled.shift());
    if (header === null) return [];
    const rows = filled.map((record) => faultOf(record, this.#settings));
    const sound = filled.filter((_, n) => rows[n] === null);
    const parsed = splitFields(sound, this.#delimiter).values();
    return rows.map((row, n) => row ?? this.#rowOf(parsed.next().value ?? [], filled[n]?.line ?? 0, header));
  }

  /**
   * Ends the input.
   * @throws {EmbedmillError} `missing-column` if the input had no header
   */
  end(): void {
    if (this.#header === null) throw missingColumn(this.#settings.textField, []);
  }

  #readHeader(record: RawRecord | undefined): { width: number; text: number; id: number } | null {
    if (record === undefined) return null;
    const columns = columnsOf(record, this.#delimiter, this.#settings);
    const { textField, idField } = this.#settings;
    const text = columns.indexOf(textField);
    if (text === -1) throw missingColumn(textField, columns);
    const id = columns.indexOf(idField);
    if (id === -1 && idField !== ROW_DEFAULTS.idField) throw missingColumn(idField, columns);
    this.#header = { width: columns.length, text, id };
    return this.#header;
  }

  #rowOf(
    fields: readonly string[],
    line: number,
    header: { width: number; text: number; id: number },
  ): RowRead {
    if (fields.length !== header.width) {
      const message = `the record has ${count(fields.length, 'column')} (${quote(fields, 120)}); expected ${header.width} as in the header`;
      return badRow(line, null, 'wrong-columns', message);
    }
    const given = readId(header.id === -1 ? '' : (fields[header.id] ?? ''), this.#settings.maxIdBytes);
    if (given.code !== null) return badRow(line, null, given.code, given.message);
    return { ok: true, line, id: given.id, text: fields[header.text] ?? '' };
  }
}

/**
 * The column names in a header record.
 * @throws {EmbedmillError} `invalid-header` if it cannot be read
 */
export function columnsOf(record: RawRecord, delimiter: ',' | '\t', settings: RowSettings): string[] {
  const fault = faultOf(record, settings);
  if (fault !== null) {
    throw new EmbedmillError(
      'invalid-header',
      `the header in line ${record.line} cannot be read: ${fault.message}`,
    );
  }
  return splitFields([record], delimiter)[0] ?? [];
}

/**
 * Splits valid records into fields. Parses many records in one call: setting up the parser costs more than a
 * record.
 */
function splitFields(records: readonly RawRecord[], delimiter: ',' | '\t'): string[][] {
  if (records.length === 0) return [];
  const bytes = Buffer.concat(records.flatMap((record) => [record.bytes, NEWLINE]));
  // The splitter follows the parser's rules for the end of a record, except that a quote inside an unquoted
  // field is text (relax_quotes) and that columns are counted later (relax_column_count).
  const parsed: string[][] = parse(bytes, {
    delimiter,
    record_delimiter: '\n',
    relax_column_count: true,
    relax_quotes: true,
  });
  if (parsed.length !== records.length) {
    throw new EmbedmillError(
      'internal',
      `csv-parse found ${parsed.length} records; expected ${records.length}, as the splitter found`,
    );
  }
  return parsed;
}

function missingColumn(column: string, found: readonly string[]): EmbedmillError {
  const list =
    found.length === 0 ? 'the input is empty' : `its columns are ${found.map((c) => quote(c)).join(', ')}`;
  return new EmbedmillError('missing-column', `the input has no column ${quote(column)}; ${list}`, {
    facts: { column, found },
  });
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

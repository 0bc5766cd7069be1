/** Parses CSV and TSV: a header line or none, then records; blank lines are skipped. */

import { EmbedmillError, quote } from '@embedmill/contract';
import { parse } from 'csv-parse/sync';
import type { Column } from '../tables/types.ts';
import { badRow, faultOf } from './decode.ts';
import { readId } from './id.ts';
import type { RawRecord } from './record.ts';
import { type FieldsRow, ROW_DEFAULTS, type RowFields, type RowSettings } from './types.ts';

/** The columns of an input. */
interface Columns {
  /** Number of fields of a record. */
  width: number;
  /** Number of fields that a record needs: columns without a name at the end may be left out. */
  minWidth: number;
  /** Position of the text and of the id; -1 for none. */
  text: number;
  id: number;
  /** All columns, if their values are kept. */
  kept: readonly Column[] | null;
}

/** Reads the header record, then turns every record into one row. */
export class CsvParser {
  readonly #settings: RowSettings;
  #columns: Columns | null = null;
  #isStart = true;

  constructor(settings: RowSettings) {
    this.#settings = settings;
  }

  /**
   * Parses records into rows, in order.
   * @throws {EmbedmillError} `missing-column` or `invalid-header`, for the whole input
   */
  parse(records: readonly RawRecord[]): FieldsRow[] {
    const filled = records.filter((record) => record.bytes.length > 0);
    if (this.#isStart && isDelimiterLine(filled[0])) filled.shift();
    const columns = this.#columns ?? this.#readColumns(filled);
    if (columns === null) return [];
    const rows = filled.map((record) => faultOf(record, this.#settings));
    const sound = filled.filter((_, n) => rows[n] === null);
    const parsed = splitFields(sound, this.#settings).values();
    return rows.map((row, n) => row ?? this.#rowOf(parsed.next().value ?? [], filled[n]?.line ?? 0, columns));
  }

  /**
   * Ends the input.
   * @throws {EmbedmillError} `missing-column` if the input had no header
   */
  end(): void {
    if (this.#columns === null) throw missingColumn(this.#settings.textField, []);
  }

  /** Takes the header, if there is one, from the records. */
  #readColumns(records: RawRecord[]): Columns | null {
    const [first] = records;
    if (first === undefined) return null;
    this.#isStart = false;
    const { textField, idField, header, keepFields } = this.#settings;
    const names = columnsOf(first, this.#settings);
    if (header) records.shift();
    const text = names.indexOf(textField);
    if (text === -1) throw missingColumn(textField, names);
    const id = names.indexOf(idField);
    if (id === -1 && idField !== ROW_DEFAULTS.idField) throw missingColumn(idField, names);
    const named = header ? names.findLastIndex((name, n) => name !== unnamed(n)) + 1 : names.length;
    const kept = keepFields ? names.map((name): Column => ({ name, type: { kind: 'string' } })) : null;
    this.#columns = { width: names.length, minWidth: Math.max(named, text + 1), text, id, kept };
    return this.#columns;
  }

  #rowOf(fields: readonly string[], line: number, columns: Columns): FieldsRow {
    const { width, minWidth } = columns;
    const hasRoom = fields.length >= minWidth && fields.slice(width).every((field) => field === '');
    if (!hasRoom) {
      const like = this.#settings.header ? 'as in the header' : 'as in the first record';
      const message = `the record has ${count(fields.length, 'column')} (${quote(fields, 120)}); expected ${width} ${like}`;
      return badRow(line, null, 'wrong-columns', message);
    }
    const kept = columns.kept === null ? {} : { fields: fieldsOf(columns.kept, fields) };
    const given = readId(columns.id === -1 ? '' : (fields[columns.id] ?? ''), this.#settings.maxIdBytes);
    if (given.code !== null) return { ...badRow(line, null, given.code, given.message), ...kept };
    return { ok: true, line, id: given.id, text: fields[columns.text] ?? '', ...kept };
  }
}

function fieldsOf(columns: readonly Column[], fields: readonly string[]): RowFields {
  return { columns, values: columns.map((_, n) => fields[n] ?? '') };
}

/** Whether a record only tells Excel the delimiter: `sep=;`. */
export function isDelimiterLine(record: RawRecord | undefined): boolean {
  return (
    record !== undefined && record.line === 1 && /^"?sep=.{1,2}$/.test(record.bytes.toString('latin1', 0, 8))
  );
}

/**
 * The column names: those in the header record, or `column0`, `column1` … for the fields of the first record.
 * @throws {EmbedmillError} `invalid-header` if the record cannot be read
 */
export function columnsOf(record: RawRecord, settings: RowSettings): string[] {
  const fault = faultOf(record, settings);
  if (fault !== null) {
    const what = settings.header ? 'header' : 'first record';
    throw new EmbedmillError(
      'invalid-header',
      `the ${what} in line ${record.line} cannot be read: ${fault.message}`,
    );
  }
  const [fields = []] = splitFields([record], settings);
  return settings.header ? columnNames(fields) : fields.map((_, n) => unnamed(n));
}

/**
 * Unique names for the fields of a header, without blanks around them. Names that occur more than once are
 * numbered (`text_1`, `text_2`), so that none is chosen by accident; empty ones become `column0` …
 */
export function columnNames(fields: readonly string[]): string[] {
  const names = fields.map((field, n) => field.trim() || unnamed(n));
  const total = new Map<string, number>();
  for (const name of names) total.set(name, (total.get(name) ?? 0) + 1);
  const taken = new Set(names);
  const numbers = new Map<string, number>();
  return names.map((name) => {
    if (total.get(name) === 1) return name;
    let number = numbers.get(name) ?? 0;
    let unique: string;
    do unique = `${name}_${++number}`;
    while (taken.has(unique));
    numbers.set(name, number);
    taken.add(unique);
    return unique;
  });
}

function unnamed(position: number): string {
  return `column${position}`;
}

/**
 * Splits valid records into fields. Parses many records in one call: setting up the parser costs more than a
 * record.
 */
export function splitFields(
  records: readonly RawRecord[],
  { delimiter, quote: mark, lineEnd }: Pick<RowSettings, 'delimiter' | 'quote' | 'lineEnd'>,
): string[][] {
  if (records.length === 0) return [];
  if (mark === null) return records.map(({ bytes }) => bytes.toString().split(delimiter));
  const end = lineEnd === 'cr' ? '\r' : '\n';
  const bytes = Buffer.concat(records.flatMap((record) => [record.bytes, Buffer.from(end)]));
  // The splitter follows the parser's rules for the end of a record, except that a quote inside an unquoted
  // field is text (relax_quotes) and that columns are counted later (relax_column_count).
  const parsed: string[][] = parse(bytes, {
    delimiter,
    quote: mark,
    escape: mark,
    record_delimiter: end,
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
  if (found.includes(`${column}_1`)) {
    const message = `more than one column is called ${quote(column)}; expected one of ${found.map((c) => quote(c)).join(', ')}`;
    return new EmbedmillError('missing-column', message, { facts: { column, found } });
  }
  const list =
    found.length === 0 ? 'the input is empty' : `its columns are ${found.map((c) => quote(c)).join(', ')}`;
  return new EmbedmillError('missing-column', `the input has no column ${quote(column)}; ${list}`, {
    facts: { column, found },
  });
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

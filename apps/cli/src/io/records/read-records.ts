/** Reads records with named fields from any input that `embedmill embed` reads. */

import { Readable } from 'node:stream';
import { quote } from '@embedmill/contract';
import type { FieldsRow, RowFields } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import { openTextInput } from '../texts/input.ts';
import { locateInput } from '../texts/locate.ts';

/** One record and its position. */
export interface FileRecord {
  /** File and line for messages, such as `pairs.csv:7`; in tables, the number of the row. */
  place: string;
  /** Values by field name; strings in CSV and TSV. */
  fields: Readonly<Record<string, unknown>>;
}

/** Maximum bytes of a record: these files fit into memory anyway. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/**
 * Yields the records in order.
 * @param required a field of every record that is a text
 * @throws {UsageError} for a missing or unreadable file, and for the first record without the field
 */
export async function* readRecords(path: string, required: string): AsyncGenerator<FileRecord> {
  const input = { input: locateInput([path]), choices: { textField: required }, hasOptions: false };
  const { rows } = await openTextInput(
    { ...input, columns: 'all' },
    {
      stdin: Readable.from([]),
      environment: {},
      maxRowBytes: MAX_RECORD_BYTES,
      signal: new AbortController().signal,
    },
  );
  for await (const slice of rows) for (const row of slice) yield recordOf(row, path);
}

function recordOf(row: FieldsRow, path: string): FileRecord {
  const place = `${path}:${row.line}`;
  if (row.ok && row.fields !== undefined) return { place, fields: valuesOf(row.fields) };
  throw new UsageError(`${place}: ${row.ok ? 'a text without fields' : row.message}`);
}

function valuesOf(fields: RowFields): Readonly<Record<string, unknown>> {
  if ('json' in fields) return fields.json;
  return Object.fromEntries(fields.columns.map(({ name }, n) => [name, fields.values[n]]));
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

/** The value of a numeric field; strings and 64-bit integers are converted. @throws {UsageError} for anything else */
export function numberField({ fields, place }: FileRecord, name: string): number {
  const value = fields[name];
  const isDigits = (typeof value === 'string' && value.trim() !== '') || typeof value === 'bigint';
  const number = isDigits ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new UsageError(`${place} has the ${quote(name)} ${quote(value)}; expected a number`);
}

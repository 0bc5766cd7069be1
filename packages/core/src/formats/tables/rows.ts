/** Takes the texts and ids from the rows of a table, and chooses their columns. */

import { isUtf8 } from 'node:buffer';
import { quote, type RowRead } from '@embedmill/contract';
import { badRow } from '../rows/decode.ts';
import { readId } from '../rows/id.ts';
import type { FieldsRow } from '../rows/types.ts';
import type { Column, DataType, Table } from './types.ts';
import { jsonText, toJson } from './values.ts';

/** A column, or a field of the structs in it. */
export interface ColumnPath {
  /** The top-level column. */
  readonly column: Column;
  /** Names of the fields that lead from it to the values; empty for the column itself. */
  readonly fields: readonly string[];
  /** The type of the values. */
  readonly type: DataType;
}

/** Options of {@link readTableRows}. */
export interface TableRowsOptions {
  readonly text: ColumnPath;
  /** `null` if the rows have no ids. */
  readonly id: ColumnPath | null;
  /** Names of the columns whose values travel with the rows. */
  readonly keep: readonly string[];
  /** Maximum length of a text in bytes of UTF-8. */
  readonly maxRowBytes: number;
  /** Maximum length of an id in bytes of UTF-8. */
  readonly maxIdBytes: number;
  readonly onFraction?: ((fraction: number) => void) | undefined;
}

/**
 * The column that a name means: a column, or a path such as `review.text` into structs; `null` if there is
 * none.
 */
export function findColumn(columns: readonly Column[], name: string): ColumnPath | null {
  const whole = columns.find((column) => column.name === name);
  if (whole !== undefined) return { column: whole, fields: [], type: whole.type };
  const [first, ...fields] = name.split('.');
  const column = columns.find((candidate) => candidate.name === first);
  if (column === undefined || fields.length === 0) return null;
  let type: DataType = column.type;
  for (const field of fields) {
    const found = type.kind === 'struct' ? type.fields.find((inner) => inner.name === field) : undefined;
    if (found === undefined) return null;
    type = found.type;
  }
  return { column, fields, type };
}

/**
 * The rows of a table in order, in slices; `line` is the number of the row, from 1. A row whose text is null
 * or too long becomes a `BadRow`.
 */
export async function* readTableRows(
  table: Table,
  { text, id, keep, maxRowBytes, maxIdBytes, onFraction }: TableRowsOptions,
): AsyncGenerator<FieldsRow[]> {
  const used = [text, ...(id === null ? [] : [id])].map(({ column }) => column.name);
  const names = [...new Set([...used, ...keep])];
  const position = new Map(names.map((name, n) => [name, n]));
  const kept = keep.flatMap((name) => table.columns.find((column) => column.name === name) ?? []);
  const positions = kept.map(({ name }) => position.get(name) as number);
  let line = 0;
  for await (const { rows, values, types } of table.read({ columns: names, onFraction })) {
    const columns =
      types === undefined
        ? kept
        : kept.map(({ name }, n) => ({ name, type: types[positions[n] as number] as DataType }));
    const texts = values[position.get(text.column.name) as number] ?? [];
    const ids = id === null ? [] : (values[position.get(id.column.name) as number] ?? []);
    const slice: FieldsRow[] = [];
    for (let n = 0; n < rows; n++) {
      line += 1;
      const given = id === null ? null : idText(valueAt(ids[n], id.fields), id.type);
      const row = rowOf(line, valueAt(texts[n], text.fields), given, text, { maxRowBytes, maxIdBytes });
      const fields = { columns, values: positions.map((at) => values[at]?.[n] ?? null) };
      slice.push(kept.length === 0 ? row : { ...row, fields });
    }
    yield slice;
  }
}

function rowOf(
  line: number,
  given: unknown,
  id: string | null,
  { column, fields }: ColumnPath,
  { maxRowBytes, maxIdBytes }: { maxRowBytes: number; maxIdBytes: number },
): RowRead {
  const checked = readId(id ?? '', maxIdBytes);
  if (checked.code !== null) return badRow(line, null, checked.code, checked.message);
  const name = quote([column.name, ...fields].join('.'));
  if (given === null) {
    return badRow(line, checked.id, 'missing-text', `the column ${name} is null; expected a text`);
  }
  const isBytes = given instanceof Uint8Array;
  if (isBytes && !isUtf8(given)) {
    return badRow(line, checked.id, 'invalid-utf8', `the bytes in the column ${name} are not UTF-8`);
  }
  const text = isBytes ? Buffer.from(given).toString() : String(given);
  if (text.length * 3 > maxRowBytes && Buffer.byteLength(text) > maxRowBytes) {
    const message = `the text has ${Buffer.byteLength(text)} bytes; expected at most ${maxRowBytes}`;
    return badRow(line, checked.id, 'row-too-large', message);
  }
  return { ok: true, line, id: checked.id, text };
}

function valueAt(value: unknown, fields: readonly string[]): unknown {
  let at = value ?? null;
  for (const field of fields) at = at === null ? null : ((at as Record<string, unknown>)[field] ?? null);
  return at;
}

/** An id as text: numbers with all digits, times in ISO 8601. */
function idText(value: unknown, type: DataType): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  const json = toJson(value, type);
  return typeof json === 'string' ? json : jsonText(json);
}

/** Whether a column can hold texts: strings, or bytes that may be UTF-8, as old writers store them. */
export function holdsText({ kind }: DataType): boolean {
  return kind === 'string' || kind === 'binary';
}

/** What is wrong with a column that cannot hold texts. */
export function textFault({ column, fields, type }: ColumnPath): string {
  const name = quote([column.name, ...fields].join('.'));
  return `the column ${name} holds values of the type ${type.kind}; expected strings`;
}

/** Keeps the values of chosen columns with the rows of an upload, within bounds that no row exceeds. */

import {
  EmbedmillError,
  type KeptValue,
  MAX_COLUMN_NAME_CHARS,
  MAX_COLUMN_VALUE_BYTES,
  MAX_COLUMNS,
  quote,
} from '@embedmill/contract';
import { fieldOf, isObject, type JsonObject } from '../../formats/rows/jsonl.ts';
import type { FieldsRow, RowFields } from '../../formats/rows/types.ts';
import { wellFormed } from '../../formats/rows/well-formed.ts';
import type { ColumnsRow } from '../cut.ts';

/** Which columns are kept. */
export interface KeepColumnsOptions {
  /** Names or JSON paths, or `*` for all columns but text, id and lists of numbers. */
  columns: readonly string[] | '*';
  textField: string;
  idField: string;
}

/** Depth of JSON objects whose members `*` keeps under a path (`review.stars`); deeper ones are kept as JSON text. */
const MAX_PATH_KEYS = 3;

/**
 * The rows with the values of their columns. At most `MAX_COLUMNS` names are kept, the first of each upload; values
 * longer than `MAX_COLUMN_VALUE_BYTES` are cut. A null, an empty text and a name that a JSON row lacks are missing
 * values.
 * @param rows as read with `keepFields`
 * @throws {EmbedmillError} `missing-column` if a named column is not in the header of a CSV or TSV input
 */
export async function* keepColumns(
  rows: AsyncIterable<readonly FieldsRow[]>,
  options: KeepColumnsOptions,
): AsyncGenerator<ColumnsRow[]> {
  const keeper = new ColumnKeeper(options);
  for await (const block of rows) yield block.map((row) => keeper.keep(row));
}

/** Knows the names that an upload has kept so far. */
class ColumnKeeper {
  readonly #options: KeepColumnsOptions;
  readonly #names = new Set<string>();
  /** Positions of the kept columns in a table; `null` before its first row. */
  #places: (readonly [name: string, position: number])[] | null = null;

  constructor(options: KeepColumnsOptions) {
    this.#options = options;
  }

  keep({ fields, ...row }: FieldsRow): ColumnsRow {
    if (fields === undefined) return row;
    const columns: Record<string, KeptValue> = Object.create(null);
    let isEmpty = true;
    for (const [name, given] of this.#valuesOf(fields)) {
      const value = keptValue(given);
      if (value === null || !this.#admits(name)) continue;
      columns[name] = value;
      isEmpty = false;
    }
    return isEmpty ? row : { ...row, columns };
  }

  #admits(name: string): boolean {
    if (this.#names.has(name)) return true;
    if (this.#names.size >= MAX_COLUMNS || name.length > MAX_COLUMN_NAME_CHARS) return false;
    this.#names.add(name);
    return true;
  }

  *#valuesOf(fields: RowFields): Generator<readonly [name: string, value: unknown]> {
    const { columns } = this.#options;
    if ('columns' in fields) {
      this.#places ??= this.#placesIn(fields.columns.map(({ name }) => name));
      for (const [name, position] of this.#places) yield [name, fields.values[position]];
    } else if (columns === '*') {
      yield* this.#membersOf(fields.json, '', 1);
    } else {
      for (const name of columns) yield [name, fieldOf(fields.json, name)];
    }
  }

  #placesIn(found: readonly string[]): (readonly [string, number])[] {
    const { columns } = this.#options;
    const wanted = columns === '*' ? found.filter((name) => !this.#isTextOrId(name)) : columns;
    return wanted.map((name): [string, number] => {
      const position = found.indexOf(name);
      if (position >= 0) return [name, position];
      const list = found.map((column) => quote(column)).join(', ');
      throw new EmbedmillError(
        'missing-column',
        `the input has no column ${quote(name)}; its columns are ${list}`,
        { facts: { column: name, found } },
      );
    });
  }

  /** The members of a JSON object under their paths. */
  *#membersOf(object: JsonObject, prefix: string, keys: number): Generator<[string, unknown]> {
    for (const [key, value] of Object.entries(object)) {
      const path = `${prefix}${key}`;
      if (this.#isTextOrId(path)) continue;
      // A vector.
      if (Array.isArray(value) && typeof value[0] === 'number') continue;
      if (isObject(value) && keys < MAX_PATH_KEYS) yield* this.#membersOf(value, `${path}.`, keys + 1);
      else yield [path, value];
    }
  }

  #isTextOrId(name: string): boolean {
    return name === this.#options.textField || name === this.#options.idField;
  }
}

/** A value as it is kept; `null` for a missing one. Lists and objects are kept as JSON text. */
function keptValue(value: unknown): KeptValue | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return wellFormed(cut(value)) as string;
  return cut(JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner)));
}

const ELLIPSIS = '…';
const encoder = new TextEncoder();
const cutBytes = new Uint8Array(MAX_COLUMN_VALUE_BYTES - encoder.encode(ELLIPSIS).byteLength);

function cut(text: string): string {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= MAX_COLUMN_VALUE_BYTES || Buffer.byteLength(text) <= MAX_COLUMN_VALUE_BYTES)
    return text;
  const { read } = encoder.encodeInto(text, cutBytes);
  return text.slice(0, read) + ELLIPSIS;
}

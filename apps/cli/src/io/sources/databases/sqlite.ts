/** Runs a query in SQLite, one row at a time. */

import { type Column, columnNames, type DataType, type TableSlice } from '@embedmill/core/formats';
import { loadLibrary } from '../../../shell/on-demand.ts';
import type { OpenedTable, SourceDeps } from '../types.ts';
import { readOnceTable } from './read-once.ts';

/** Rows per slice. */
const SLICE_ROWS = 1_024;

/**
 * A running query. The library frees a statement that nothing refers to, even if its rows are being read
 * (@photostructure/sqlite 1.2.1): the next row is then an error or a crash.
 */
interface Cursor {
  readonly statement: object;
  readonly rows: Iterator<SqliteValue[]>;
}

/** A value as the library returns it. */
type SqliteValue = bigint | number | string | Uint8Array | null;

/**
 * Runs the query on a database that is opened for reading only.
 *
 * SQLite has a type per value, not per column. Each slice has the types of its values, and the columns of the
 * output have a type that holds all of them, as those of JSON.
 */
export async function querySqlite(path: string, sql: string, { signal }: SourceDeps): Promise<OpenedTable> {
  const { DatabaseSync } = await loadLibrary(
    'SQLite is read',
    '@photostructure/sqlite',
    () => import('@photostructure/sqlite'),
  );
  const database = new DatabaseSync(path, { readOnly: true });
  const close = async () => {
    if (database.isOpen) database.close();
  };
  try {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const names = columnNames(statement.columns().map(({ name }) => String(name)));
    const cursor: Cursor = { statement, rows: statement.iterate() as unknown as Iterator<SqliteValue[]> };
    const first = nextSlice(cursor, names.length);
    const columns = names.map((name, n): Column => ({ name, type: first?.types?.[n] ?? { kind: 'null' } }));
    return { table: readOnceTable(path, columns, slicesOf(first, cursor)), close };

    async function* slicesOf(start: TableSlice | null, rest: Cursor): AsyncGenerator<TableSlice> {
      for (let slice = start; slice !== null; slice = nextSlice(rest, names.length)) {
        signal.throwIfAborted();
        yield slice;
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
}

/** The next rows; `null` at the end. */
function nextSlice({ rows }: Cursor, columns: number): TableSlice | null {
  const values: SqliteValue[][] = Array.from({ length: columns }, () => []);
  let count = 0;
  for (let next = rows.next(); !next.done; next = rows.next()) {
    for (let n = 0; n < columns; n++) values[n]?.push(next.value[n] ?? null);
    count += 1;
    if (count === SLICE_ROWS) break;
  }
  if (count === 0) return null;
  const pieces = values.map(typed);
  return { rows: count, values: pieces.map((piece) => piece.values), types: pieces.map(({ type }) => type) };
}

/** The values with the type that holds them all. */
function typed(values: readonly SqliteValue[]): { type: DataType; values: readonly unknown[] } {
  const kinds = new Set(values.filter((value) => value !== null).map((value) => typeof value));
  const only = kinds.size === 1 ? [...kinds][0] : undefined;
  if (kinds.size === 0) return { type: { kind: 'null' }, values };
  if (only === 'bigint') return { type: { kind: 'integer', bits: 64, signed: true }, values };
  if (only === 'string') return { type: { kind: 'string' }, values };
  if (only === 'object') return { type: { kind: 'binary' }, values };
  if (!kinds.has('string') && !kinds.has('object')) {
    const numbers = values.map((value) => (value === null ? null : Number(value)));
    return { type: { kind: 'float', bits: 64 }, values: numbers };
  }
  const json = values.map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
  return { type: { kind: 'json' }, values: json };
}

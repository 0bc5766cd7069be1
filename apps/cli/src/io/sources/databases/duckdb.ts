/** Runs a query in DuckDB and streams its result. */

import type { DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import { type Column, columnNames, type DataType, type TableSlice } from '@embedmill/core/formats';
import { loadLibrary } from '../../../shell/on-demand.ts';
import type { OpenedTable, SourceDeps } from '../types.ts';
import { readOnceTable } from './read-once.ts';

/** Rows per slice; a chunk of DuckDB has 2,048. */
const SLICE_ROWS = 1_024;

/** Rows that are read again to find the reason of a failure; DuckDB computes less ahead. */
const FAILURE_ROWS = 1_000_000;

type DuckDb = typeof import('@duckdb/node-api');

/** How the values of a DuckDB type become values of a column. */
interface Reading {
  type: DataType;
  read: (value: never) => unknown;
}

/**
 * Runs the query; rows arrive as they are computed.
 * @param path of the database, which is opened for reading only; `null` for a database in memory, whose queries
 * read files
 */
export async function queryDuckDb(
  path: string | null,
  sql: string,
  { signal }: SourceDeps,
): Promise<OpenedTable> {
  const library = await loadLibrary('DuckDB is read', '@duckdb/node-api', () => import('@duckdb/node-api'));
  const instance = await library.DuckDBInstance.create(
    path ?? ':memory:',
    path === null ? {} : { access_mode: 'READ_ONLY' },
  );
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt);
  const close = async () => {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  };
  try {
    // Two objects of one day must not differ by the zone of the machine.
    await connection.run("SET TimeZone = 'UTC'").catch(() => {});
    const statement = await connection.prepare(sql);
    const count = statement.columnCount;
    const names = columnNames(Array.from({ length: count }, (_, n) => statement.columnName(n)));
    statement.destroySync();
    const result = await connection.stream(withEnd(sql, count));
    const readings = names.map((_, n) => readingOf(library, result.columnType(n)));
    const columns = names.map((name, n): Column => ({ name, type: (readings[n] as Reading).type }));
    const slices = slicesOf(result, readings, (rows) => failureAfter(rows, sql, connection));
    return { table: readOnceTable(path ?? 'duckdb:', columns, slices), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The query with one more column and one more row, in which that column is true.
 *
 * When a query fails behind its first rows, its stream ends as if it were complete (@duckdb/node-api 1.5.5). Only
 * a complete stream ends with this row, because DuckDB keeps the order of UNION ALL.
 */
function withEnd(sql: string, columns: number): string {
  return `SELECT *, false FROM (${sql}\n) UNION ALL SELECT ${'NULL, '.repeat(columns)}true`;
}

/** @param failure the error for a stream that ends after this many rows without the last row */
async function* slicesOf(
  result: DuckDBResult,
  readings: readonly Reading[],
  failure: (rows: number) => Promise<Error>,
): AsyncGenerator<TableSlice> {
  let rows = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) throw await failure(rows);
    const end = chunk.getColumnValues(readings.length).indexOf(true);
    const count = end === -1 ? chunk.rowCount : end;
    const values = readings.map(({ read }, n) =>
      chunk
        .getColumnValues(n)
        .slice(0, count)
        .map((value) => (value === null ? null : read(value as never))),
    );
    for (let from = 0; from < count; from += SLICE_ROWS) {
      const part = values.map((column) => column.slice(from, from + SLICE_ROWS));
      yield { rows: Math.min(SLICE_ROWS, count - from), values: part };
    }
    rows += count;
    if (end === -1) continue;
    if (end !== chunk.rowCount - 1 || ((await result.fetchChunk())?.rowCount ?? 0) > 0) {
      throw new Error('internal error: DuckDB changed the order of UNION ALL');
    }
    return;
  }
}

/** The error of a query that failed behind its first rows: the next rows alone report it. */
async function failureAfter(rows: number, sql: string, connection: DuckDBConnection): Promise<Error> {
  try {
    await connection.run(`SELECT * FROM (${sql}\n) LIMIT ${FAILURE_ROWS} OFFSET ${rows}`);
  } catch (error) {
    return asError(error);
  }
  return new Error(`DuckDB stopped after ${rows} rows without a reason`);
}

function readingOf(library: DuckDb, type: DuckDBType): Reading {
  const { DuckDBTypeId: Id } = library;
  const same = (kind: DataType): Reading => ({ type: kind, read: (value) => value });
  const integer = (bits: 8 | 16 | 32 | 64, signed: boolean) => same({ kind: 'integer', bits, signed });
  switch (type.typeId) {
    case Id.SQLNULL:
      return same({ kind: 'null' });
    case Id.BOOLEAN:
      return same({ kind: 'boolean' });
    case Id.TINYINT:
      return integer(8, true);
    case Id.SMALLINT:
      return integer(16, true);
    case Id.INTEGER:
      return integer(32, true);
    case Id.BIGINT:
      return integer(64, true);
    case Id.UTINYINT:
      return integer(8, false);
    case Id.USMALLINT:
      return integer(16, false);
    case Id.UINTEGER:
      return integer(32, false);
    case Id.UBIGINT:
      return integer(64, false);
    case Id.FLOAT:
      return same({ kind: 'float', bits: 32 });
    case Id.DOUBLE:
      return same({ kind: 'float', bits: 64 });
    case Id.DECIMAL: {
      const { width, scale } = type as InstanceType<DuckDb['DuckDBDecimalType']>;
      return {
        type: { kind: 'decimal', precision: width, scale },
        read: ({ value }: { value: bigint }) => value,
      } as Reading;
    }
    // The result of sum() over integers: as many digits as decimals can have.
    case Id.HUGEINT:
    case Id.UHUGEINT:
      return {
        type: { kind: 'decimal', precision: 38, scale: 0 },
        read: (value: bigint) => {
          if (value > MAX_DECIMAL || value < -MAX_DECIMAL) {
            throw new EmbedmillError(
              'value-too-large',
              `the query has the integer ${value}, which has more than 38 digits; cast it to VARCHAR`,
            );
          }
          return value;
        },
      } as Reading;
    case Id.BLOB:
      return {
        type: { kind: 'binary' },
        read: ({ bytes }: { bytes: Uint8Array }) => Uint8Array.from(bytes),
      } as Reading;
    case Id.DATE:
      return {
        type: { kind: 'date' },
        read: (value: { days: number; isFinite: boolean }) => finite(value.days, value.isFinite),
      } as Reading;
    case Id.TIME:
      return {
        type: { kind: 'time', unit: 'us' },
        read: ({ micros }: { micros: bigint }) => micros,
      } as Reading;
    case Id.TIMESTAMP_S:
      return timestamp('s', false, ({ seconds }: { seconds: bigint }) => seconds);
    case Id.TIMESTAMP_MS:
      return timestamp('ms', false, ({ millis }: { millis: bigint }) => millis);
    case Id.TIMESTAMP_NS:
      return timestamp('ns', false, ({ nanos }: { nanos: bigint }) => nanos);
    case Id.TIMESTAMP:
      return timestamp('us', false, ({ micros }: { micros: bigint }) => micros);
    case Id.TIMESTAMP_TZ:
      return timestamp('us', true, ({ micros }: { micros: bigint }) => micros);
    case Id.LIST:
    case Id.ARRAY: {
      const { valueType } = type as InstanceType<DuckDb['DuckDBListType']>;
      const item = readingOf(library, valueType);
      return {
        type: { kind: 'list', item: item.type },
        read: ({ items }: { items: readonly unknown[] }) => items.map((value) => readInner(item, value)),
      } as Reading;
    }
    case Id.STRUCT: {
      const { entryNames, entryTypes } = type as InstanceType<DuckDb['DuckDBStructType']>;
      const fields = entryNames.map((name, n) => ({
        name,
        reading: readingOf(library, entryTypes[n] as DuckDBType),
      }));
      return {
        type: { kind: 'struct', fields: fields.map(({ name, reading }) => ({ name, type: reading.type })) },
        read: ({ entries }: { entries: Readonly<Record<string, unknown>> }) =>
          Object.fromEntries(fields.map(({ name, reading }) => [name, readInner(reading, entries[name])])),
      } as Reading;
    }
    case Id.VARCHAR:
    case Id.ENUM:
      return same({ kind: 'string' });
    default:
      // UUID, intervals, maps, unions, bits: as DuckDB writes them.
      return { type: { kind: 'string' }, read: (value: DuckDBValue) => String(value) } as Reading;
  }
}

const MAX_DECIMAL = 10n ** 38n - 1n;

function readInner({ read }: Reading, value: unknown): unknown {
  return value === null || value === undefined ? null : read(value as never);
}

function timestamp<Value>(
  unit: 's' | 'ms' | 'us' | 'ns',
  utc: boolean,
  unitsOf: (value: Value) => bigint,
): Reading {
  const read = (value: Value & { isFinite?: boolean }) => finite(unitsOf(value), value.isFinite ?? true);
  return { type: { kind: 'timestamp', unit, utc }, read } as Reading;
}

/** @throws {EmbedmillError} for infinity, which files of vectors cannot hold */
function finite<Value>(value: Value, holds: boolean): Value {
  if (holds) return value;
  throw new EmbedmillError(
    'value-too-large',
    `the query has a date or time ${quote('infinity')}, which the output cannot hold; cast it to VARCHAR`,
  );
}

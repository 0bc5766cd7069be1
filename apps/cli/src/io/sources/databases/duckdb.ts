/** Runs a query in DuckDB and streams its result. */

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { EmbedmillError, quote } from '@embedmill/contract';
import { type Column, columnNames, type DataType, type TableSlice } from '@embedmill/core/formats';
import type { OpenedTable, SourceDeps } from '../types.ts';
import { loadLibrary } from './library.ts';
import { readOnceTable } from './read-once.ts';

/** Rows per slice; a chunk of DuckDB has 2,048. */
const SLICE_ROWS = 1_024;

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
  const library = await loadLibrary('DuckDB', '@duckdb/node-api', () => import('@duckdb/node-api'));
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
    const result = await connection.stream(sql);
    const names = columnNames(result.columnNames());
    const readings = names.map((_, n) => readingOf(library, result.columnType(n)));
    const columns = names.map((name, n): Column => ({ name, type: (readings[n] as Reading).type }));
    const table = readOnceTable(path ?? 'duckdb:', columns, slicesOf());
    return { table, close };

    async function* slicesOf(): AsyncGenerator<TableSlice> {
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        const values = readings.map(({ read }, n) =>
          chunk.getColumnValues(n).map((value) => (value === null ? null : read(value as never))),
        );
        for (let from = 0; from < chunk.rowCount; from += SLICE_ROWS) {
          const part = values.map((column) => column.slice(from, from + SLICE_ROWS));
          yield { rows: Math.min(SLICE_ROWS, chunk.rowCount - from), values: part };
        }
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
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

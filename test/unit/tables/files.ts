/** Tables for the tests: written by DuckDB, read and written by the code under test. */

import { DuckDBInstance } from '@duckdb/node-api';
import { type Column, FORMATS, openFileBytes, openTable, type Table } from '@embedmill/core/formats';
import { onTestFinished } from 'vitest';

/** Rows of {@link EVERY_TYPE}. */
export const TYPED_ROWS = 5_000;

/** A query with a column of every type, with nulls and with values at the ends of their ranges. */
export const EVERY_TYPE = `SELECT
  i AS key,
  'row ' || i || ' ü 漢字 ' || repeat('x', (i % 300)::INT) AS text,
  CASE WHEN i % 10 = 0 THEN NULL ELSE 'shop' || (i % 50) END AS shop,
  (i % 250 - 125)::TINYINT AS i8, (i % 60000 - 30000)::SMALLINT AS i16, (i - 2500)::INTEGER AS i32,
  (9223372036854775807 - i)::BIGINT AS i64,
  (i % 256)::UTINYINT AS u8, (65535 - i)::USMALLINT AS u16, (4294967295 - i)::UINTEGER AS u32,
  (18446744073709551615 - i)::UBIGINT AS u64,
  (i / 3)::FLOAT AS f32, i / 7 AS f64, CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END AS flag,
  ((i - 100) / 100)::DECIMAL(9, 2) AS dec9, ((i - 100) / 100)::DECIMAL(18, 3) AS dec18,
  (-i)::DECIMAL(38, 4) * 1000000000000000000::DECIMAL(38, 0) AS dec38,
  DATE '1950-01-01' + i::INT AS day, TIME '00:00:00' + INTERVAL (i) SECOND AS clock,
  TIMESTAMP '1969-12-31 23:00:00.000001' + INTERVAL (i) SECOND AS at,
  (TIMESTAMP '1969-12-31 23:00:00.000001' + INTERVAL (i) SECOND)::TIMESTAMPTZ AS at_utc,
  ('1970-01-01 00:00:00.123456' || lpad((i % 1000)::VARCHAR, 3, '0'))::TIMESTAMP_NS AS at_ns,
  TIMESTAMP_MS '2024-01-01' + INTERVAL (i) SECOND AS at_ms,
  ('\\x0' || (i % 10)::VARCHAR)::BLOB AS bytes, md5(i::VARCHAR)::UUID::VARCHAR AS uuid,
  CASE WHEN i % 4 = 0 THEN NULL ELSE [x FOR x IN range(i % 5)] END AS numbers,
  [['a', NULL, 'b' || i], []] AS lists,
  CASE WHEN i % 5 = 0 THEN NULL ELSE {'text': 'nested ' || i, 'stars': i % 6, 'tags': ['x', NULL]} END AS review,
  [{'name': 'part ' || i, 'price': i * 1.5}] AS parts
  FROM range(${TYPED_ROWS}) t(i)`;

/** Runs statements in DuckDB; returns the rows of the last. */
export async function duckdb(...statements: string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    for (const statement of statements.slice(0, -1)) await connection.run(statement);
    return (await connection.runAndReadAll(statements.at(-1) ?? '')).getRowsJson() as unknown[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Opens a table; it is closed after the test. */
export async function openTestTable(path: string): Promise<Table> {
  const bytes = await openFileBytes(path);
  onTestFinished(() => bytes.close());
  return openTable(path.endsWith('.parquet') ? 'parquet' : 'arrow', bytes);
}

/** All values of a table, one array per column. */
export async function readAll(table: Table, columns?: readonly string[]): Promise<unknown[][]> {
  const all: unknown[][] = (columns ?? table.columns).map(() => []);
  for await (const { values } of table.read({ columns })) {
    for (const [n, column] of values.entries()) all[n]?.push(...column);
  }
  return all;
}

/** The table as a file of vectors with its columns; the vector of each row is (1, 0). */
export async function encodeTable(table: Table, format: keyof typeof FORMATS): Promise<Buffer> {
  const columns: readonly Column[] = table.columns;
  let total = 0;
  for await (const { rows } of table.read({ columns: [] })) total += rows;
  const slices = async function* () {
    let first = 0;
    for await (const { rows, values } of table.read()) {
      const ids = Array.from({ length: rows }, (_, n) => String(first + n));
      const vectors = Float32Array.from({ length: rows * 2 }, (_, n) => (n + 1) % 2);
      yield { ids, dim: 2, vectors, present: new Uint8Array(rows).fill(1), columns: values };
      first += rows;
    }
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of FORMATS[format].encode(slices(), { rows: total, dim: 2 }, { columns })) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Runs a query in PostgreSQL through a cursor, in one transaction that only reads. */

import { asError, quote } from '@embedmill/contract';
import { type Column, columnNames, type TableSlice } from '@embedmill/core/formats';
import pg from 'pg';
import { UsageError } from '../../../shell/exit-codes.ts';
import type { OpenedTable, SourceDeps } from '../types.ts';
import { type PostgresReading, postgresReading } from './postgres-types.ts';
import { readOnceTable } from './read-once.ts';

/** Rows per request. */
const FETCHED_ROWS = 1_024;

/**
 * The session: texts in UTC and ISO 8601, and scans that start at the first page of a table, so that a query
 * without ORDER BY tends to repeat its order.
 */
const SETTINGS = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  "SET LOCAL TIME ZONE 'UTC'",
  "SET LOCAL DateStyle = 'ISO'",
  "SET LOCAL IntervalStyle = 'iso_8601'",
  "SET LOCAL bytea_output = 'hex'",
  'SET LOCAL extra_float_digits = 3',
  'SET LOCAL synchronize_seqscans = off',
  // A slow engine pauses between two requests.
  'SET LOCAL idle_in_transaction_session_timeout = 0',
];

/** Runs the query; the server holds its rows until they are fetched. */
export async function queryPostgres(url: string, sql: string, { signal }: SourceDeps): Promise<OpenedTable> {
  // Values as text, which `postgres-types` reads without loss.
  const types = { getTypeParser: () => (value: string) => value };
  const client = new pg.Client({ connectionString: url, application_name: 'embedmill', types } as never);
  let broken: Error | null = null;
  client.on('error', (error) => {
    broken = error;
  });
  const close = async () => {
    signal.removeEventListener('abort', abort);
    await client.end().catch(() => {});
  };
  const abort = () => void client.end().catch(() => {});
  signal.addEventListener('abort', abort);
  const fetch = async (rows: number) => {
    const text = `FETCH FORWARD ${rows} FROM embedmill_rows`;
    return client.query<(string | null)[]>({ text, rowMode: 'array' }).catch((error) => {
      throw signal.aborted ? signal.reason : (broken ?? error);
    });
  };
  try {
    await client.connect().catch((cause) => {
      signal.throwIfAborted();
      const { host } = new URL(url);
      throw new UsageError(`cannot connect to PostgreSQL at ${quote(host)}: ${asError(cause).message}`, {
        cause,
      });
    });
    for (const setting of SETTINGS) await client.query(setting);
    await client.query(`DECLARE embedmill_rows NO SCROLL CURSOR FOR ${sql}`);
    const { fields } = await fetch(0);
    const names = columnNames(fields.map(({ name }) => name));
    const readings = fields.map((field) => postgresReading(field.dataTypeID, field.dataTypeModifier));
    const columns = names.map((name, n): Column => ({ name, type: (readings[n] as PostgresReading).type }));
    return { table: readOnceTable(`postgres://${new URL(url).host}`, columns, slicesOf(readings)), close };
  } catch (error) {
    await close();
    throw error;
  }

  async function* slicesOf(readings: readonly PostgresReading[]): AsyncGenerator<TableSlice> {
    for (;;) {
      const { rows } = await fetch(FETCHED_ROWS);
      if (rows.length === 0) return;
      const values = readings.map(({ read }, n) =>
        rows.map((row) => {
          const value = row[n] ?? null;
          return value === null ? null : read(value);
        }),
      );
      yield { rows: rows.length, values };
    }
  }
}

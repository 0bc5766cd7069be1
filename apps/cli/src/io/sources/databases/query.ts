/** The result of an SQL query (`--query`) as a source: DuckDB, SQLite and PostgreSQL. */

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import { UsageError } from '../../../shell/exit-codes.ts';
import { UNKNOWN_CONTENTS } from '../identity.ts';
import type { OpenedTable, SourceDeps, TableSource } from '../types.ts';

/** A database, and how its query is run. */
interface Database {
  /** Name for messages, without a password. */
  name: string;
  /** Absolute path of its file; `null` for a server and for memory. */
  path: string | null;
  /** Whether a query without ORDER BY repeats its order. */
  isOrdered: boolean;
  run(sql: string, deps: SourceDeps): Promise<OpenedTable>;
}

/** What the files of databases start with, and where. */
const MAGIC: readonly (readonly ['duckdb' | 'sqlite', number, string])[] = [
  ['sqlite', 0, 'SQLite format 3\0'],
  ['duckdb', 8, 'DUCK'],
];

const EXPECTED = 'duckdb:FILE, sqlite:FILE, postgres://host/database, or a DuckDB or SQLite file';

/** Whether an input can only be read by a query. */
export function isDatabaseUrl(given: string): boolean {
  return /^(duckdb|sqlite|sqlite3|postgres|postgresql):/i.test(given);
}

/**
 * The result of a query.
 * @param given the database
 * @throws {UsageError} if it is not a database, or its file does not exist
 */
export function querySource(given: string, sql: string): TableSource {
  const database = databaseAt(given);
  if (sql.trim() === '')
    throw new UsageError('--query is empty; expected SQL, such as SELECT id, text FROM reviews');
  return {
    kind: 'table',
    format: 'query',
    name: database.name,
    path: database.path,
    isStream: false,
    // The rows are compared with those that were sent; the same result from another place is welcome.
    identify: async () => UNKNOWN_CONTENTS,
    warnings: warningsOf(database, sql),
    openTable: (deps) =>
      database.run(sql.trim().replace(/;\s*$/, ''), deps).catch((error) => {
        deps.signal.throwIfAborted();
        if (error instanceof EmbedmillError) throw error;
        throw new UsageError(`${quote(database.name, 200)} cannot run the query: ${asError(error).message}`, {
          cause: error,
        });
      }),
  };
}

/** SQLite repeats the order of a query over the same data; the others may use several threads. */
function warningsOf({ isOrdered }: Database, sql: string): string[] {
  if (isOrdered || /\border\s+by\b/i.test(sql)) return [];
  return ['the query has no ORDER BY; to resume, it must return its rows in the same order'];
}

function databaseAt(given: string): Database {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):(.*)$/is.exec(given) ?? [];
  switch (scheme.toLowerCase()) {
    case 'postgres':
    case 'postgresql':
      return postgresAt(given);
    case 'duckdb':
      if (rest === '' || rest === ':memory:') {
        return {
          name: 'duckdb:',
          path: null,
          isOrdered: false,
          run: (sql, deps) => runInFile('duckdb', null, sql, deps),
        };
      }
      return fileDatabase('duckdb', rest);
    case 'sqlite':
    case 'sqlite3':
      return fileDatabase('sqlite', rest);
    default: {
      const kind = existsSync(given) && statSync(given).isFile() ? kindOf(given) : null;
      if (kind === null) throw new UsageError(`${quote(given, 200)} is not a database; expected ${EXPECTED}`);
      return fileDatabase(kind, given);
    }
  }
}

function postgresAt(given: string): Database {
  if (!URL.canParse(given))
    throw new UsageError(
      'the URL of the PostgreSQL server is invalid; expected postgres://user@host/database',
    );
  const { protocol, host, pathname } = new URL(given);
  return {
    name: `${protocol}//${host}${pathname}`,
    path: null,
    isOrdered: false,
    run: async (sql, deps) => (await import('./postgres.ts')).queryPostgres(given, sql, deps),
  };
}

/** `sqlite:shop.db`, `sqlite:/data/shop.db` and `sqlite:///data/shop.db`. */
function fileDatabase(kind: 'duckdb' | 'sqlite', given: string): Database {
  const name = given.replace(/^\/\/(?=\/)/, '');
  if (!existsSync(name)) throw new UsageError(`there is no database ${quote(name, 200)}`);
  const path = resolve(name);
  return { name, path, isOrdered: kind === 'sqlite', run: (sql, deps) => runInFile(kind, path, sql, deps) };
}

/** Loads the reader of a database and runs the query. */
async function runInFile(
  kind: 'duckdb' | 'sqlite',
  path: string | null,
  sql: string,
  deps: SourceDeps,
): Promise<OpenedTable> {
  if (kind === 'sqlite' && path !== null) return (await import('./sqlite.ts')).querySqlite(path, sql, deps);
  return (await import('./duckdb.ts')).queryDuckDb(path, sql, deps);
}

function kindOf(path: string): 'duckdb' | 'sqlite' | null {
  const start = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return (
    MAGIC.find(([, at, magic]) => start.toString('latin1', at, at + magic.length) === magic)?.[0] ?? null
  );
}

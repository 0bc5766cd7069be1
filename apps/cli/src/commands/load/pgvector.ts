/** Writes vectors to a table of PostgreSQL with the extension pgvector. */

import { asError, EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { StoreRequest, VectorStore } from './types.ts';

/** Runs one statement; `pg`'s client and PGlite have it. */
export interface SqlConnection {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Beyond this, pgvector's HNSW takes no vectors of four-byte floats. */
const MAX_INDEXED_FLOATS = 2000;

/**
 * Codes of errors that may pass: PostgreSQL's classes of connection, transaction, resources and operator (its manual, appendix
 * A), the names of the system's own, and none at all, as `pg` reports a connection that broke.
 */
const PASSING = /^(08|40|53|57|E[A-Z]+$|$)/;

/** Connects with `pg`, which is loaded by this alone. @throws {UnavailableError} when nobody answers */
export async function connectPostgres(url: URL): Promise<SqlConnection & { end(): Promise<void> }> {
  const { default: pg } = await import('pg');
  // A pool of one connects again by itself.
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  // A connection that breaks between two statements is reported by the next one.
  pool.on('error', () => {});
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    const message = `nobody lets us in at ${url.host}: ${asError(cause).message}`;
    throw new UnavailableError('store-unavailable', message, { cause });
  }
  return pool;
}

/**
 * Makes the extension, the table (`id text primary key, embedding vector(dim)`) and, at the end, an HNSW index for cosines,
 * each unless it is there.
 * @throws {EmbedmillError} `store-refused` when the server has no pgvector or the table another dimension
 */
export async function openPgvector(
  connection: SqlConnection,
  { url, table, dim }: Omit<StoreRequest, 'signal'>,
): Promise<VectorStore> {
  const run = (sql: string, values?: unknown[]) => connection.query(sql, values).catch(refuse);
  const name = identifier(table);
  await run('CREATE EXTENSION IF NOT EXISTS vector');
  await run(`CREATE TABLE IF NOT EXISTS ${name} (id text PRIMARY KEY, embedding vector(${dim}) NOT NULL)`);
  // pgvector keeps the dimension of a column as the modifier of its type.
  const { rows } = await run(
    "SELECT atttypmod AS dim FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'embedding'",
    [name],
  );
  const [column] = rows as { dim: number }[];
  if (column?.dim !== dim) {
    throw new EmbedmillError(
      'store-refused',
      `the table ${quote(table)} takes vectors of ${column?.dim ?? 'no'} floats in "embedding"; the file has ${dim}`,
    );
  }
  return {
    name: `table ${quote(table)} at ${url.host}`,
    async upsert({ ids, vectors }) {
      await run(
        `INSERT INTO ${name} (id, embedding)
         SELECT id, embedding::vector FROM unnest($1::text[], $2::text[]) AS given (id, embedding)
         ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding`,
        [ids, vectors.map((vector) => `[${vector.join(',')}]`)],
      );
    },
    async finish() {
      if (dim > MAX_INDEXED_FLOATS) return;
      const index = identifier(`${table}_embedding_cosine`);
      await run(`CREATE INDEX IF NOT EXISTS ${index} ON ${name} USING hnsw (embedding vector_cosine_ops)`);
    },
    close: async () => {},
  };
}

/** A name as SQL quotes it, so that any text is a name and nothing else. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function refuse(cause: unknown): never {
  const error = asError(cause);
  const code = 'code' in error ? String(error.code) : '';
  const message = `PostgreSQL says: ${error.message}`;
  if (PASSING.test(code)) throw new UnavailableError('store-unavailable', message, { cause });
  throw new EmbedmillError('store-refused', message, { cause });
}

/** Writes vectors to a PostgreSQL table with the pgvector extension. */

import { asError, EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { StoreRequest, VectorStore } from './types.ts';

/** A connection that runs statements, such as a client of `pg` or PGlite. */
export interface SqlConnection {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Maximum dimension of float32 vectors in pgvector's HNSW index. */
const MAX_INDEXED_DIM = 2000;

/**
 * Codes of temporary errors: the PostgreSQL classes for connection, transaction rollback, resources and
 * operator intervention (manual, appendix A), the error names of the operating system, and no code, as `pg`
 * reports a broken connection.
 */
const TEMPORARY = /^(08|40|53|57|E[A-Z]+$|$)/;

/** Connects with `pg`, which is loaded on first use. @throws {UnavailableError} when the connection fails */
export async function connectPostgres(url: URL): Promise<SqlConnection & { end(): Promise<void> }> {
  const { default: pg } = await import('pg');
  // A pool of one reconnects automatically.
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  // If the connection breaks between two statements, the next one reports it.
  pool.on('error', () => {});
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    const message = `cannot connect to PostgreSQL at ${url.host}: ${asError(cause).message}`;
    throw new UnavailableError('store-unavailable', message, { cause });
  }
  return pool;
}

/**
 * Creates the extension, the table (`id text primary key, embedding vector(dim)`) and, at the end, an HNSW
 * index for cosine similarity, each unless it exists.
 * @throws {EmbedmillError} `store-refused` when the server lacks pgvector or the table has another dimension
 */
export async function openPgvector(
  connection: SqlConnection,
  { url, table, dim }: Omit<StoreRequest, 'signal'>,
): Promise<VectorStore> {
  const run = (sql: string, values?: unknown[]) => connection.query(sql, values).catch(refuse);
  const name = identifier(table);
  await run('CREATE EXTENSION IF NOT EXISTS vector');
  await run(`CREATE TABLE IF NOT EXISTS ${name} (id text PRIMARY KEY, embedding vector(${dim}) NOT NULL)`);
  // pgvector stores the dimension of a column as its type modifier.
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
      if (dim > MAX_INDEXED_DIM) return;
      const index = identifier(`${table}_embedding_cosine`);
      await run(`CREATE INDEX IF NOT EXISTS ${index} ON ${name} USING hnsw (embedding vector_cosine_ops)`);
    },
    close: async () => {},
  };
}

/** Quotes a name for SQL, so that it cannot be read as anything else. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function refuse(cause: unknown): never {
  const error = asError(cause);
  const code = 'code' in error ? String(error.code) : '';
  const message = `PostgreSQL reports: ${error.message}`;
  if (TEMPORARY.test(code)) throw new UnavailableError('store-unavailable', message, { cause });
  throw new EmbedmillError('store-refused', message, { cause });
}

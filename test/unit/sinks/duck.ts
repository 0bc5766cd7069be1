/** Queries a Parquet file with DuckDB. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { temporaryFolder } from '../../support/folder.ts';

/** The rows of an SQL query in which `FILE` stands for a Parquet file of these bytes. */
export async function queryParquet(bytes: Uint8Array, sql: string): Promise<Record<string, unknown>[]> {
  const file = join(temporaryFolder(), 'vectors.parquet');
  writeFileSync(file, bytes);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const answer = await connection.runAndReadAll(sql.replaceAll('FILE', `'${file}'`));
    return answer.getRowObjectsJS();
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

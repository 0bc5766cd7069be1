/** Opens the LanceDB table in a folder `NAME.lance`. */

import { createRequire } from 'node:module';
import { basename, dirname, extname } from 'node:path';
import { asError, EmbedmillError } from '@embedmill/contract';
import type { Connection, Table } from '@lancedb/lancedb';
import { UsageError } from '../shell/exit-codes.ts';
import { loadLibrary } from '../shell/on-demand.ts';

/** The part of the LanceDB package that is used. */
export type LanceDb = Pick<typeof import('@lancedb/lancedb'), 'connect' | 'Index'>;

/** A LanceDB folder: its parent is the database, and its name without the extension is the table. */
export interface LanceFolder {
  library: LanceDb;
  database: Connection;
  /** Table name. */
  table: string;
}

/** Whether a path has the extension of LanceDB tables; it need not exist. */
export function isLancePath(path: string): boolean {
  return extname(path).toLowerCase() === '.lance';
}

/**
 * Connects to the database that contains `path`, an absolute path.
 * @throws {UsageError} if the package is missing
 * @throws {EmbedmillError} `no-lancedb` if it cannot be loaded
 */
export async function openLanceFolder(path: string): Promise<LanceFolder> {
  const library = await importLanceDb();
  return { library, database: await library.connect(dirname(path)), table: basename(path, extname(path)) };
}

/** The dimension of a table's column `vector`; `null` unless it is a column of float vectors. */
export async function dimOf(table: Table): Promise<number | null> {
  const { fields } = await table.schema();
  const type = String(fields.find(({ name }) => name === 'vector')?.type);
  return Number(/^FixedSizeList\[(\d+)\]<Float(16|32)>$/.exec(type)?.[1]) || null;
}

/**
 * The build of apache-arrow that LanceDB uses. It loads the CommonJS build, and writes tables of another build as files
 * that it cannot read.
 */
export function requireArrow(): typeof import('apache-arrow') {
  return createRequire(import.meta.url)('apache-arrow');
}

/** Loads the package on first use. It is optional, because some machines have no build of it. */
async function importLanceDb(): Promise<LanceDb> {
  // By default LanceDB writes a warning to stderr for each table that does not exist yet.
  process.env.LANCEDB_LOG ??= 'error';
  try {
    return await loadLibrary(
      'LanceDB is read and written',
      '@lancedb/lancedb',
      () => import('@lancedb/lancedb'),
    );
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new EmbedmillError(
      'no-lancedb',
      `LanceDB cannot be loaded on ${process.platform}-${process.arch}: ${asError(cause).message}. ` +
        'Its package @lancedb/lancedb has no build for this machine, or a damaged one.',
      { cause },
    );
  }
}

/** Opens the LanceDB table that a folder `NAME.lance` is; the readers of vectors and `embedmill load` call it. */

import { basename, dirname, extname } from 'node:path';
import { asError, EmbedmillError } from '@embedmill/contract';
import type { Connection, Table } from '@lancedb/lancedb';

/** LanceDB's package, as it is imported. */
export type LanceDb = Pick<typeof import('@lancedb/lancedb'), 'connect' | 'Index' | 'makeArrowTable'>;

/** A folder of LanceDB: the database is the folder around it, the table has its name. */
export interface LanceFolder {
  library: LanceDb;
  database: Connection;
  /** Name of the table. */
  table: string;
}

/** Whether a path names a table of LanceDB, there or not: LanceDB gives the folder of a table this ending. */
export function isLancePath(path: string): boolean {
  return extname(path).toLowerCase() === '.lance';
}

/** Connects to the database around an absolute path. @throws {EmbedmillError} `no-lancedb` where the package cannot be loaded */
export async function openLanceFolder(path: string): Promise<LanceFolder> {
  const library = await importLanceDb();
  return { library, database: await library.connect(dirname(path)), table: basename(path, extname(path)) };
}

/** Floats per vector of a table's column `vector`; `null` when it is none of float vectors. */
export async function dimOf(table: Table): Promise<number | null> {
  const { fields } = await table.schema();
  const type = String(fields.find(({ name }) => name === 'vector')?.type);
  return Number(/^FixedSizeList\[(\d+)\]<Float(16|32)>$/.exec(type)?.[1]) || null;
}

/** The package is optional, as it has no build for every machine, and is loaded by the first folder. */
async function importLanceDb(): Promise<LanceDb> {
  // It would tell on stderr of each table that is not there yet.
  process.env.LANCEDB_LOG ??= 'error';
  try {
    return await import('@lancedb/lancedb');
  } catch (cause) {
    throw new EmbedmillError(
      'no-lancedb',
      `LanceDB cannot be loaded on ${process.platform}-${process.arch}: ${asError(cause).message}. ` +
        'Its package @lancedb/lancedb is installed with Embedmill where it has a build for the machine.',
      { cause },
    );
  }
}

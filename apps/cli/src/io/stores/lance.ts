/** Writes vectors to a LanceDB table, a folder on this machine. */

import { fileURLToPath } from 'node:url';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import type { Table } from '@lancedb/lancedb';
import { dimOf, openLanceFolder } from '../lance-folder.ts';
import type { StoreRequest, VectorStore } from './types.ts';

/**
 * Bytes of vectors per write: 43,690 rows of 384 floats. Each write creates a version of the table and scans
 * the ids of all earlier rows.
 */
const WRITE_BYTES = 64 * 1024 * 1024;

/** Minimum rows for an index: below this an exact search takes a few milliseconds. */
const MIN_INDEXED_ROWS = 5_000;

/** RaBitQ packs one bit of each float into bytes, so dimensions must be a multiple of this. */
const FLOATS_PER_BYTE = 8;

/** One row of the table. */
interface LanceRow extends Record<string, unknown> {
  id: string;
  vector: Float32Array;
}

/**
 * Opens the table, and creates it if needed (`id` string, `vector` fixed-size list of float32).
 *
 * Rows are buffered and written in large pieces; the last piece is stored when `finish` resolves. The index
 * is IVF_RQ for cosine similarity: built in a second where others take a minute, see docs/decisions/0105.
 * @throws {EmbedmillError} `store-refused` when the table has other columns or another dimension
 */
export async function openLance({ url, dim }: Pick<StoreRequest, 'url' | 'dim'>): Promise<VectorStore> {
  const path = fileURLToPath(url);
  const { library, database, table: name } = await openLanceFolder(path);
  const existed = (await database.tableNames()).includes(name);
  let table: Table | null = existed ? await database.openTable(name).catch(refuse) : null;
  if (table !== null) await checkTable(table, path, dim);
  const maxRows = Math.max(1, Math.floor(WRITE_BYTES / (dim * 4)));
  // By id, so that a repeated row replaces the earlier one.
  let waiting = new Map<string, LanceRow>();

  const write = async () => {
    if (waiting.size === 0) return;
    const rows = [...waiting.values()];
    if (table === null) table = await database.createTable(name, rows).catch(refuse);
    else {
      const merge = table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll();
      await merge.execute(rows).catch(refuse);
    }
    waiting = new Map();
  };

  return {
    name: `LanceDB table ${quote(path, 200)}`,
    async upsert({ ids, vectors }) {
      for (const [n, id] of ids.entries()) waiting.set(id, rowOf(id, vectors[n]!));
      if (waiting.size >= maxRows) await write();
    },
    async finish() {
      await write();
      if (table === null) {
        const { schema } = library.makeArrowTable([rowOf('', new Float32Array(dim))]);
        table = await database.createEmptyTable(name, schema).catch(refuse);
      }
      // Compacts the files of many writes. Intermediate versions are removed if this invocation created the
      // table; an older table keeps its versions for LanceDB's default of seven days.
      await table.optimize(existed ? {} : { cleanupOlderThan: new Date() }).catch(refuse);
      const isIndexed = dim % FLOATS_PER_BYTE === 0 && (await table.countRows()) >= MIN_INDEXED_ROWS;
      if (!isIndexed) return;
      const config = library.Index.ivfRq({ distanceType: 'cosine' });
      await table.createIndex('vector', { config }).catch(refuse);
    },
    close: async () => {
      table?.close();
      database.close();
    },
  };
}

function rowOf(id: string, vector: Float32Array): LanceRow {
  return { id, vector };
}

async function checkTable(table: Table, path: string, dim: number): Promise<void> {
  const { fields } = await table.schema();
  const columns = fields.map(({ name, type }) => `${quote(name)} (${type})`).join(', ');
  const isOurs =
    fields
      .map(({ name }) => name)
      .sort()
      .join() === 'id,vector';
  if (isOurs && (await dimOf(table)) === dim) return;
  throw new EmbedmillError(
    'store-refused',
    `the table ${quote(path, 200)} has the columns ${columns}; ` +
      `expected "id" (Utf8) and "vector" (FixedSizeList[${dim}]<Float32>)`,
  );
}

function refuse(cause: unknown): never {
  throw new EmbedmillError('store-refused', `LanceDB reports: ${asError(cause).message}`, { cause });
}

/** Writes vectors to a table of LanceDB, a folder on this machine. */

import { fileURLToPath } from 'node:url';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import type { Table } from '@lancedb/lancedb';
import type { StoreRequest, VectorStore } from '../../commands/load/types.ts';
import { dimOf, openLanceFolder } from './folder.ts';

/**
 * Bytes of vectors that are written at once. Each write is a version of the table and looks through the ids of all rows
 * before it; 43 690 rows of 384 floats.
 */
const WRITE_BYTES = 64 * 1024 * 1024;

/** From as many rows on there is an index: a search that compares all of fewer takes some milliseconds. */
const MIN_INDEXED_ROWS = 5_000;

/** RaBitQ packs one bit of each float into bytes. */
const INDEXED_FLOATS = 8;

/** What happens to a row of LanceDB. */
interface LanceRow extends Record<string, unknown> {
  id: string;
  vector: Float32Array;
}

/**
 * Opens the table, which is made unless it is there (`id` string, `vector` fixed-size list of float32).
 *
 * Rows are collected and written in large pieces, so those of the last piece are there when `finish` resolves. The index is
 * IVF_RQ for cosines: built in a second where the others take a minute, see docs/decisions/0105.
 * @throws {EmbedmillError} `store-refused` when the table has other columns or vectors of another dimension
 */
export async function openLance({ url, dim }: Pick<StoreRequest, 'url' | 'dim'>): Promise<VectorStore> {
  const path = fileURLToPath(url);
  const { library, database, table: name } = await openLanceFolder(path);
  const isThere = (await database.tableNames()).includes(name);
  let table: Table | null = isThere ? await database.openTable(name).catch(refuse) : null;
  if (table !== null) await checkTable(table, path, dim);
  const most = Math.max(1, Math.floor(WRITE_BYTES / (dim * 4)));
  // By id: a row that comes again replaces itself, also when a request is repeated.
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
      if (waiting.size >= most) await write();
    },
    async finish() {
      await write();
      if (table === null) {
        const { schema } = library.makeArrowTable([rowOf('', new Float32Array(dim))]);
        table = await database.createEmptyTable(name, schema).catch(refuse);
      }
      // Many writes leave many files; this makes few of them. The versions that were written on the way go if the table is
      // ours from its beginning; those of an older table are kept as long as LanceDB keeps them by itself, seven days.
      await table.optimize(isThere ? {} : { cleanupOlderThan: new Date() }).catch(refuse);
      const isIndexed = dim % INDEXED_FLOATS === 0 && (await table.countRows()) >= MIN_INDEXED_ROWS;
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
    `the table ${quote(path, 200)} has the columns ${columns}; expected "id" (Utf8) and "vector" (FixedSizeList[${dim}]<Float32>)`,
  );
}

function refuse(cause: unknown): never {
  throw new EmbedmillError('store-refused', `LanceDB says: ${asError(cause).message}`, { cause });
}

/** Writes vectors to a LanceDB table, a folder on this machine. */

import { fileURLToPath } from 'node:url';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import type { Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';
import { dimOf, type LanceDb, type LanceFolder, openLanceFolder } from '../lance-folder.ts';
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
 * Rows are buffered and written in large pieces; the last piece is stored when `finish` resolves.
 * @throws {EmbedmillError} `store-refused` when the table has other columns or another dimension
 */
export async function openLance({ url, dim }: Pick<StoreRequest, 'url' | 'dim'>): Promise<VectorStore> {
  const path = fileURLToPath(url);
  const writer = await LanceWriter.open(path, dim);
  if (writer.table !== null) await checkTable(writer.table, path, dim);
  const maxRows = maxRowsPerWrite(dim);
  // By id, so that a repeated row replaces the earlier one.
  let waiting = new Map<string, LanceRow>();
  const write = async () => {
    if (waiting.size > 0) await writer.write([...waiting.values()]);
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
      await writer.finish([rowOf('', new Float32Array(dim))]);
    },
    close: async () => writer.close(),
  };
}

/** Rows of a table: objects, or an Arrow table. */
type LanceRows = Parameters<LanceDb['makeArrowTable']>[0] | ArrowTable;

/** The number of rows to write at once. */
export function maxRowsPerWrite(dim: number): number {
  return Math.max(1, Math.floor(WRITE_BYTES / (dim * 4)));
}

/** Writes pieces of rows into a table, in which no id occurs twice. */
export class LanceWriter {
  readonly #folder: LanceFolder;
  readonly #dim: number;
  readonly #existed: boolean;
  /** `null` until the table is created by the first piece. */
  table: Table | null;

  constructor(folder: LanceFolder, table: Table | null, dim: number) {
    this.#folder = folder;
    this.#dim = dim;
    this.#existed = table !== null;
    this.table = table;
  }

  /** @param path of the folder, which need not exist */
  static async open(path: string, dim: number): Promise<LanceWriter> {
    const folder = await openLanceFolder(path);
    const existed = (await folder.database.tableNames()).includes(folder.table);
    const table = existed ? await folder.database.openTable(folder.table).catch(refuse) : null;
    return new LanceWriter(folder, table, dim);
  }

  /** Inserts the rows of a piece or replaces those with the same ids; an id occurs once in the piece. */
  async write(rows: LanceRows): Promise<void> {
    const { database, table: name } = this.#folder;
    const data = rows as Record<string, unknown>[];
    if (this.table === null) this.table = await database.createTable(name, data).catch(refuse);
    else {
      const merge = this.table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll();
      await merge.execute(data).catch(refuse);
    }
  }

  /**
   * Compacts the table and builds its index: IVF_RQ for cosine similarity, which takes a second where others
   * take a minute, see docs/decisions/0105.
   * @param example rows that show the columns of a table without rows
   */
  async finish(example: LanceRows): Promise<void> {
    const { library, database, table: name } = this.#folder;
    if (this.table === null) {
      const { schema } = Array.isArray(example) ? library.makeArrowTable(example) : (example as ArrowTable);
      this.table = await database.createEmptyTable(name, schema).catch(refuse);
    }
    // Compacts the files of many writes. Intermediate versions are removed if this invocation created the
    // table; an older table keeps its versions for LanceDB's default of seven days.
    await this.table.optimize(this.#existed ? {} : { cleanupOlderThan: new Date() }).catch(refuse);
    const isIndexed = this.#dim % FLOATS_PER_BYTE === 0 && (await this.table.countRows()) >= MIN_INDEXED_ROWS;
    if (!isIndexed) return;
    const config = library.Index.ivfRq({ distanceType: 'cosine' });
    await this.table.createIndex('vector', { config }).catch(refuse);
  }

  close(): void {
    this.table?.close();
    this.#folder.database.close();
  }
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

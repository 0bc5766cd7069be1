/** Writes vectors to a LanceDB table, a folder on this machine. */

import { fileURLToPath } from 'node:url';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import {
  type Column,
  convertValue,
  type DataType,
  mergeColumns,
  openArrowBatches,
  recordBatchOf,
} from '@embedmill/core/formats';
import type { Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';
import { dimOf, type LanceFolder, openLanceFolder, requireArrow } from '../lance-folder.ts';
import { inputColumns } from '../vectors/columns.ts';
import type { StoreRequest, VectorStore } from './types.ts';

/**
 * Bytes of vectors, or of columns, per write: 43,690 rows of 384 floats. Each write creates a version of the table
 * and scans the ids of all earlier rows.
 */
const WRITE_BYTES = 64 * 1024 * 1024;

/** Minimum rows for an index: below this an exact search takes a few milliseconds. */
const MIN_INDEXED_ROWS = 5_000;

/** RaBitQ packs one bit of each float into bytes, so dimensions must be a multiple of this. */
const FLOATS_PER_BYTE = 8;

/** A row of the table besides its id. */
interface LanceRow {
  vector: Float32Array;
  values: readonly unknown[];
}

/**
 * Opens the table, and creates it if needed: `id` string, the columns, `vector` fixed-size list of float32. An
 * existing table keeps its columns; others of the rows are left out, with a note.
 *
 * Rows are buffered and written in large pieces; the last piece is stored when `finish` resolves.
 * @throws {EmbedmillError} `store-refused` when the table has another dimension, columns that the rows lack, or
 *   columns of other types
 */
export async function openLance({
  url,
  dim,
  columns = [],
  onNote = () => {},
}: Pick<StoreRequest, 'url' | 'dim' | 'columns' | 'onNote'>): Promise<VectorStore> {
  const path = fileURLToPath(url);
  const writer = await LanceWriter.open(path, dim);
  const stored =
    writer.table === null
      ? columns.map((column, position) => ({ ...column, position, from: column.type }))
      : await columnsOf(writer.table, { path, dim, columns, onNote });
  const maxRows = maxRowsPerWrite(dim);
  // By id, so that a repeated row replaces the earlier one.
  let waiting = new Map<string, LanceRow>();
  let columnBytes = 0;
  const write = async () => {
    if (waiting.size > 0) await writer.write(tableOf(waiting, dim, stored));
    [waiting, columnBytes] = [new Map(), 0];
  };
  return {
    name: `LanceDB table ${quote(path, 200)}`,
    async upsert({ ids, vectors, values = [] }) {
      for (const [n, id] of ids.entries()) {
        const row = { vector: vectors[n]!, values: values[n] ?? [] };
        waiting.set(id, row);
        columnBytes += bytesOf(row.values);
      }
      if (waiting.size >= maxRows || columnBytes >= WRITE_BYTES) await write();
    },
    async finish() {
      await write();
      await writer.finish(tableOf(new Map(), dim, stored));
    },
    close: async () => writer.close(),
  };
}

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
  async write(rows: ArrowTable): Promise<void> {
    const { database, table: name } = this.#folder;
    // LanceDB's types name another build of the library.
    const data = rows as unknown as Record<string, unknown>[];
    if (this.table === null) this.table = await database.createTable(name, data).catch(refuse);
    else {
      const merge = this.table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll();
      await merge.execute(data).catch(refuse);
    }
  }

  /**
   * Compacts the table and builds its index: IVF_RQ for cosine similarity, which takes a second where others
   * take a minute, see docs/decisions/0105.
   * @param example shows the columns of a table without rows
   */
  async finish({ schema }: ArrowTable): Promise<void> {
    const { library, database, table: name } = this.#folder;
    this.table ??= await database.createEmptyTable(name, schema).catch(refuse);
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

/** About the bytes of a value of a column. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, inner) => sum + bytesOf(inner), 0);
}

/** A column of the table, and where its values come from. */
interface StoredColumn extends Column {
  /** Position among the columns of the rows. */
  position: number;
  /** Type of the values there. */
  from: DataType;
}

function tableOf(
  rows: ReadonlyMap<string, LanceRow>,
  dim: number,
  columns: readonly StoredColumn[],
): ArrowTable {
  const library = requireArrow();
  const all = [...rows.values()];
  const vectors = new Float32Array(all.length * dim);
  for (const [n, { vector }] of all.entries()) vectors.set(vector, n * dim);
  const values = columns.map(({ position, from, type }) =>
    all.map((row) => convertValue(row.values[position], from, type)),
  );
  const present = new Uint8Array(all.length).fill(1);
  const batch = recordBatchOf(
    library,
    { ids: [...rows.keys()], dim, vectors, present, columns: values },
    columns,
  );
  return new library.Table([batch]);
}

/** The columns of an existing table, which must be able to hold those of the rows. */
async function columnsOf(
  table: Table,
  {
    path,
    dim,
    columns,
    onNote,
  }: Required<Pick<StoreRequest, 'dim' | 'columns' | 'onNote'>> & { path: string },
): Promise<StoredColumn[]> {
  const { fields } = await table.schema();
  const refuseTable = (expected: string): never => {
    const found = fields.map(({ name, type }) => `${quote(name)} (${type})`).join(', ');
    const message = `the table ${quote(path, 200)} has the columns ${found}; expected ${expected}`;
    throw new EmbedmillError('store-refused', message);
  };
  if (!fields.some(({ name }) => name === 'id') || (await dimOf(table)) !== dim) {
    refuseTable(`"id" (Utf8) and "vector" (FixedSizeList[${dim}]<Float32>)`);
  }
  const stored = inputColumns((await openArrowBatches(fields as never)).columns).map(({ name, type }) => {
    const position = columns.findIndex((column) => column.name === name);
    const from = columns[position]?.type;
    if (from === undefined) {
      const names = ['id', ...columns.map((column) => column.name), 'vector'].map((given) => quote(given));
      return refuseTable(`only columns that the file has: ${names.join(', ')}`);
    }
    const held = heldType(type, from);
    if (held === null) return refuseTable(`${quote(name)} to hold values of the type ${from.kind}`);
    return { name, type: held, position, from };
  });
  const left = columns.filter(({ name }) => !stored.some((column) => column.name === name));
  if (left.length > 0) {
    const names = left.map(({ name }) => quote(name)).join(', ');
    onNote(`${quote(path, 200)} exists without the columns ${names}, which are left out`);
  }
  return stored;
}

/** The type as which values of the type `from` are written into a column; `null` if it cannot hold them. */
function heldType(column: DataType, from: DataType): DataType | null {
  // JSON is stored as its text.
  if (column.kind === 'string' && from.kind === 'json') return from;
  const name = 'value';
  const [merged] = mergeColumns([{ name, type: column }], [{ name, type: from }]);
  return JSON.stringify(merged?.type) === JSON.stringify(column) ? column : null;
}

function refuse(cause: unknown): never {
  throw new EmbedmillError('store-refused', `LanceDB reports: ${asError(cause).message}`, { cause });
}

/** Reads vectors from a LanceDB table: a column `vector` and optionally a column `id`. */

import { quote, type VectorRows } from '@embedmill/contract';
import { openArrowBatches } from '@embedmill/core/formats';
import type { Table } from '@lancedb/lancedb';
import { UsageError } from '../../shell/exit-codes.ts';
import { dimOf, openLanceFolder } from '../lance-folder.ts';
import { inputColumns, type StoredColumns } from './columns.ts';
import { makeSlice } from './slice.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/** Opens the table. @throws {UsageError} if the folder is not a LanceDB table or has no such column */
export async function openLanceTable(path: string, name: string): Promise<VectorFile> {
  const { database, table: tableName } = await openLanceFolder(path);
  const table = await database.openTable(tableName).catch((cause) => {
    throw new UsageError(`${quote(name, 200)} is not a LanceDB table`, { cause });
  });
  const { fields } = await table.schema();
  const dim = await dimOf(table);
  if (dim === null) {
    const columns = fields.map((field) => `${quote(field.name)} (${field.type})`).join(', ');
    throw new UsageError(
      `${quote(name, 200)} has no column "vector" of fixed-size lists of floats; its columns are ${columns}`,
    );
  }
  const hasIds = fields.some((field) => field.name === 'id');
  return {
    name,
    rows: await table.countRows(),
    dim,
    read: (options) => readRows(table, { dim, hasIds, ...options }),
    readColumns: (only) => readColumns(table, only),
  };
}

/** One slice per record batch. */
async function* readRows(
  table: Table,
  { dim, hasIds, asStored }: VectorReadOptions & { dim: number; hasIds: boolean },
): AsyncGenerator<VectorRows> {
  const columns = hasIds ? ['id', 'vector'] : ['vector'];
  let first = 0;
  for await (const batch of table.query().select(columns)) {
    const lists = batch.getChild('vector');
    const ids = batch.getChild('id');
    const vectors = new Float32Array(batch.numRows * dim);
    const names: string[] = [];
    for (let row = 0; row < batch.numRows; row++) {
      names.push(String(ids?.get(row) ?? first + row + 1));
      const list = lists?.get(row);
      if (list) vectors.set(list.toArray(), row * dim);
    }
    yield makeSlice(names, dim, vectors, { asStored: asStored ?? false });
    first += batch.numRows;
  }
}

async function* readColumns(table: Table, only?: readonly string[]): AsyncGenerator<StoredColumns> {
  const { fields } = await table.schema();
  const all = await openArrowBatches(fields as never);
  const columns = inputColumns(all.columns, only);
  const names = columns.map(({ name }) => name);
  const positions = names.map((name) => all.columns.findIndex((column) => column.name === name));
  for await (const batch of table.query()) {
    for (const { rows, values } of all.slices(batch as never)) {
      yield {
        ids: new Array<string>(rows).fill(''),
        columns,
        values: positions.map((position) => values[position] ?? []),
      };
    }
  }
}

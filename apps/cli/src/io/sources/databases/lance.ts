/** LanceDB tables (folders `NAME.lance`) as sources. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { asError, quote } from '@embedmill/contract';
import { openArrowBatches, type TableSlice } from '@embedmill/core/formats';
import type { Table } from '@lancedb/lancedb';
import { UsageError } from '../../../shell/exit-codes.ts';
import { openLanceFolder } from '../../lance-folder.ts';
import { UNKNOWN_CONTENTS } from '../identity.ts';
import type { TableSource } from '../types.ts';
import { readOnceTable } from './read-once.ts';

/** The rows of a table in the order in which they were added, from the version that is current at the start. */
export function lanceSource(name: string): TableSource {
  const path = resolve(name);
  let identity = UNKNOWN_CONTENTS;
  return {
    kind: 'table',
    format: 'lance',
    name,
    path,
    isStream: false,
    warnings: [],
    identify: async () => identity,
    async openTable() {
      const { database, table: tableName } = await openLanceFolder(path);
      const table = await database.openTable(tableName).catch((cause) => {
        throw new UsageError(`${quote(name, 200)} is not a LanceDB table: ${asError(cause).message}`, {
          cause,
        });
      });
      // Later versions do not change what is read.
      const version = await table.version();
      await table.checkout(version);
      const rows = await table.countRows();
      const contents = `${version} ${rows}`;
      identity = { bytes: 0, sha256: createHash('sha256').update(contents).digest('hex') };
      const batches = await openArrowBatches((await table.schema()).fields as never);
      return {
        table: readOnceTable(name, batches.columns, slicesOf(table, rows, batches)),
        close: async () => table.close(),
      };
    },
  };
}

async function* slicesOf(
  table: Table,
  rows: number,
  batches: Awaited<ReturnType<typeof openArrowBatches>>,
): AsyncGenerator<TableSlice> {
  let read = 0;
  for await (const batch of table.query()) {
    read += batch.numRows;
    yield* batches.slices(batch as never);
  }
  if (read !== rows) throw new Error(`${read} of ${rows} rows were read`);
}

/** Writes flat tables as Parquet: strings and doubles, one row group at a time. */

import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { inChunks } from '../sinks/chunks.ts';
import { takeBytes } from '../sinks/parquet-vectors.ts';
import type { FlatCell, FlatColumn, FlatFormat, FlatRows } from './types.ts';

/** Rows per row group, which is encoded at a time: about 50 ms of work. */
const GROUP_ROWS = 10_000;

/** Parquet has no limit. */
export const flatParquet: FlatFormat = {
  contentType: 'application/vnd.apache.parquet',
  extension: '.parquet',
  maxRows: Number.POSITIVE_INFINITY,
  encode: encodeParquet,
};

async function* encodeParquet(columns: readonly FlatColumn[], rows: FlatRows): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const schema = [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)];
  const file = new ParquetWriter({ writer, schema, createdBy: 'embedmill' });
  let group: (readonly FlatCell[])[] = [];
  const writeGroup = () => {
    const columnData = columns.map(({ name, kind }, i) => ({
      name,
      data: group.map((row) => parquetValue(row[i] ?? null, kind)),
    }));
    file.write({ columnData, rowGroupSize: group.length });
    group = [];
    return inChunks(takeBytes(writer));
  };
  for await (const some of rows) {
    group.push(...some);
    if (group.length >= GROUP_ROWS) yield* writeGroup();
  }
  if (group.length > 0) yield* writeGroup();
  file.finish();
  yield* inChunks(takeBytes(writer));
}

function parquetValue(cell: FlatCell, kind: FlatColumn['kind']): FlatCell {
  return kind === 'text' && typeof cell === 'number' ? String(cell) : cell;
}

function elementOf({ name, kind }: FlatColumn): SchemaElement {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  return kind === 'number'
    ? { ...optional, type: 'DOUBLE' }
    : { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
}

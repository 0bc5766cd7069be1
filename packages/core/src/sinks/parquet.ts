/**
 * Writes Parquet: `id` as string, `vector` as list of float. hyparquet-writer frames the file and writes the ids; the
 * vectors' pages are ours, see docs/decisions/parquet.md.
 */
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import { inChunks, maxChunkBytes } from './chunks.ts';
import { takeBytes, writeVectorColumn } from './parquet-vectors.ts';
import { groupRows } from './shape.ts';
import type { Encoding, VectorRows } from './types.ts';

/**
 * Vector bytes in a full row group: what is held in memory at a time, and what a reader reads at a time. 5 461 rows of
 * 384 floats.
 */
const groupBytes = 8 * 1024 * 1024;

const idElement: SchemaElement = {
  name: 'id',
  type: 'BYTE_ARRAY',
  repetition_type: 'REQUIRED',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
};

/** The list layout that the Parquet format prescribes (LogicalTypes.md, "Lists"): a null list is a row without a vector. */
const schema: SchemaElement[] = [
  { name: 'root', num_children: 2 },
  idElement,
  {
    name: 'vector',
    repetition_type: 'OPTIONAL',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
];

/** Uncompressed row groups of 8 MiB; `vector` is null where a row has none. Holds one row group at a time. */
export const parquet: Encoding = {
  name: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  extension: '.parquet',
  async *encode(rows, shape) {
    const writer = new ByteWriter();
    const file = new ParquetWriter({ writer, schema, createdBy: 'embedmill' });
    const rowsPerGroup = Math.max(1, Math.floor(groupBytes / (shape.dim * 4)));
    for await (const group of groupRows(rows, shape, rowsPerGroup)) yield* writeGroup(file, writer, group);
    file.finish();
    yield* inChunks(takeBytes(writer));
  },
};

function* writeGroup(
  file: ParquetWriter,
  writer: ByteWriter,
  group: readonly VectorRows[],
): Generator<Uint8Array> {
  const start = writer.offset;
  const rows = group.reduce((sum, slice) => sum + slice.ids.length, 0);
  const ids = writeColumn({
    writer,
    column: {
      columnName: 'id',
      element: idElement,
      schemaPath: schema.slice(0, 2),
      codec: 'UNCOMPRESSED',
      compressors: {},
      stats: true,
      pageSize: maxChunkBytes,
      columnIndex: false,
      offsetIndex: false,
      encoding: 'PLAIN',
    },
    pageData: {
      values: group.flatMap((slice) => slice.ids),
      definitionLevels: [],
      repetitionLevels: [],
      maxDefinitionLevel: 0,
    },
  }).chunk;
  const vectors = yield* writeVectorColumn(group, writer);
  const columns = [ids, vectors];
  const sizes = columns.map((chunk) => chunk.meta_data?.total_uncompressed_size ?? 0n);
  file.num_rows += BigInt(rows);
  file.row_groups.push({
    columns,
    num_rows: BigInt(rows),
    total_byte_size: sizes.reduce((sum, size) => sum + size, 0n),
    total_compressed_size: BigInt(writer.offset - start),
  });
}

/**
 * Writes Parquet: `id` as string, the columns of the input, `vector` as list of numbers. hyparquet-writer writes the metadata and all
 * other columns; the pages of the vector column are written here (see docs/decisions/0005).
 */

import type { Dtype } from '@embedmill/contract';
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import type { Column } from '../tables/types.ts';
import { inChunks, MAX_CHUNK_BYTES } from './chunks.ts';
import { scalesOf } from './dtype.ts';
import { elementsOf, writeInputColumns } from './parquet-columns.ts';
import { takeBytes, writeVectorColumn } from './parquet-vectors.ts';
import { columnsOfGroup, groupRows } from './shape.ts';
import type { EncodeOptions, OutputRows, OutputShape } from './types.ts';

/**
 * Vector bytes per full row group, which is held in memory at a time and is what a reader loads at a time.
 * 5,461 rows of 384 floats.
 */
const GROUP_BYTES = 8 * 1024 * 1024;

const ID_ELEMENT: SchemaElement = {
  name: 'id',
  type: 'BYTE_ARRAY',
  repetition_type: 'REQUIRED',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
};

/** The scale of each row; a column of int8 files. */
const SCALE_ELEMENT: SchemaElement = { name: 'scale', type: 'FLOAT', repetition_type: 'REQUIRED' };

/** The type of the vector elements. Parquet stores a half as two bytes, and an 8-bit integer as INT32. */
const NUMBER_TYPES: Readonly<Record<Dtype, Omit<SchemaElement, 'name'>>> = {
  float32: { type: 'FLOAT' },
  float16: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
  int8: { type: 'INT32', converted_type: 'INT_8' },
};

/**
 * The list layout required by the Parquet format (LogicalTypes.md, "Lists"); a null list is a row without a
 * vector.
 */
function schemaOf(dtype: Dtype, columns: readonly Column[]): SchemaElement[] {
  const scale = dtype === 'int8' ? [SCALE_ELEMENT] : [];
  return [
    { name: 'root', num_children: 2 + scale.length + columns.length },
    ID_ELEMENT,
    ...columns.flatMap(elementsOf),
    {
      name: 'vector',
      repetition_type: 'OPTIONAL',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { ...NUMBER_TYPES[dtype], name: 'element', repetition_type: 'REQUIRED' },
    ...scale,
  ];
}

/** Writes uncompressed row groups of 8 MiB and holds one at a time. @see Format.encode */
export async function* writeParquet(
  rows: AsyncIterable<OutputRows>,
  shape: OutputShape,
  { dtype = 'float32', columns = [], metadata = {} }: EncodeOptions = {},
): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  const file = new ParquetWriter({
    writer,
    schema: schemaOf(dtype, columns),
    createdBy: 'embedmill',
    ...(kvMetadata.length === 0 ? {} : { kvMetadata }),
  });
  const rowsPerGroup = Math.max(1, Math.floor(GROUP_BYTES / (shape.dim * 4)));
  for await (const group of groupRows(rows, shape, rowsPerGroup)) {
    yield* writeGroup(group, { file, writer, dtype, columns });
  }
  file.finish();
  yield* inChunks(takeBytes(writer));
}

/** A file being written. */
interface OpenFile {
  file: ParquetWriter;
  writer: ByteWriter;
  dtype: Dtype;
  columns: readonly Column[];
}

function* writeGroup(
  group: readonly OutputRows[],
  { file, writer, dtype, columns: inputColumns }: OpenFile,
): Generator<Uint8Array> {
  const start = writer.offset;
  const rows = group.reduce((sum, slice) => sum + slice.ids.length, 0);
  const ids = writeFlatColumn(
    writer,
    ID_ELEMENT,
    group.flatMap((slice) => slice.ids),
  );
  const others = writeInputColumns(writer, inputColumns, columnsOfGroup(group, inputColumns.length));
  const columns = [ids, ...others, yield* writeVectorColumn(group, writer, dtype)];
  if (dtype === 'int8') {
    const scales = group.flatMap(({ vectors, dim }) => [...scalesOf(vectors, dim)]);
    columns.push(writeFlatColumn(writer, SCALE_ELEMENT, scales));
  }
  const sizes = columns.map((chunk) => chunk.meta_data?.total_uncompressed_size ?? 0n);
  file.num_rows += BigInt(rows);
  file.row_groups.push({
    columns,
    num_rows: BigInt(rows),
    total_byte_size: sizes.reduce((sum, size) => sum + size, 0n),
    total_compressed_size: BigInt(writer.offset - start),
  });
}

/** A column with one value per row. */
function writeFlatColumn(writer: ByteWriter, element: SchemaElement, values: unknown[]) {
  return writeColumn({
    writer,
    column: {
      columnName: element.name,
      element,
      schemaPath: [{ name: 'root' }, element],
      codec: 'UNCOMPRESSED',
      compressors: {},
      stats: true,
      pageSize: MAX_CHUNK_BYTES,
      columnIndex: false,
      offsetIndex: false,
      encoding: 'PLAIN',
    },
    pageData: { values, definitionLevels: [], repetitionLevels: [], maxDefinitionLevel: 0 },
  }).chunk;
}

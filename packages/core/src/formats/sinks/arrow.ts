/**
 * Writes Arrow IPC files (Feather V2): `id` as string, the columns of the input, `vector` as fixed-size list, for pyarrow, polars and
 * other Arrow readers. Uses apache-arrow, which is loaded for the first file.
 *
 * Decision: docs/decisions/0103.
 */

import type { Dtype } from '@embedmill/contract';
import type { AsyncByteQueue, Data, Field, FixedSizeList, RecordBatch, TypeMap } from 'apache-arrow';
import type { Column } from '../tables/types.ts';
import { dataOf, fieldOf } from './arrow-columns.ts';
import { inChunks } from './chunks.ts';
import { numbersOf, scalesOf } from './dtype.ts';
import { columnsOfGroup, groupRows } from './shape.ts';
import type { Format, OutputRows } from './types.ts';

type Arrow = typeof import('apache-arrow');

/** Bytes of float data per full record batch; one batch is held in memory at a time. */
const BATCH_BYTES = 8 * 1024 * 1024;

/**
 * `vector` is null for a row without a vector; `dtype` int8 adds a column `scale`. Holds one record batch at
 * a time.
 */
export const arrow: Format = {
  name: 'arrow',
  contentType: 'application/vnd.apache.arrow.file',
  extension: '.arrow',
  async *encode(rows, shape, { dtype = 'float32', columns = [], metadata = {} } = {}) {
    const library = await import('apache-arrow');
    const queue = makeQueue(library);
    const writer = new library.RecordBatchFileWriter({ autoDestroy: false });
    const schema = schemaOf(library, shape.dim, { dtype, columns, metadata });
    writer.reset(queue as unknown as AsyncByteQueue, schema);
    const rowsPerBatch = Math.max(1, Math.floor(BATCH_BYTES / (shape.dim * 4)));
    for await (const group of groupRows(rows, shape, rowsPerBatch)) {
      writer.write(batchOf(library, schema, group, { dtype, columns }));
      yield* queue.take();
    }
    writer.finish();
    yield* queue.take();
  },
};

/**
 * An apache-arrow queue that is emptied after every batch, so that no output accumulates behind a slow
 * reader.
 */
function makeQueue({ AsyncByteQueue: Queue }: Arrow) {
  return new (class extends Queue {
    #chunks: Uint8Array[] = [];

    override write(chunk: Uint8Array): void {
      this.#chunks.push(chunk);
    }

    *take(): Generator<Uint8Array> {
      const chunks = this.#chunks;
      this.#chunks = [];
      for (const chunk of chunks) yield* inChunks(chunk);
    }
  })();
}

/** What the record batches hold. */
interface BatchOptions {
  dtype: Dtype;
  columns: readonly Column[];
}

function schemaOf(
  library: Arrow,
  dim: number,
  { dtype, columns, metadata }: BatchOptions & { metadata: Readonly<Record<string, string>> },
) {
  const { Schema, Field, Utf8, Float32, FixedSizeList: List, ...types } = library;
  const element = { float32: Float32, float16: types.Float16, int8: types.Int8 }[dtype];
  const fields = [
    new Field('id', new Utf8(), false),
    ...columns.map((column) => fieldOf(library, column)),
    new Field('vector', new List(dim, new Field('item', new element(), false)), true),
    ...(dtype === 'int8' ? [new Field('scale', new Float32(), false)] : []),
  ];
  return new Schema<TypeMap>(fields as Field[], new Map(Object.entries(metadata)));
}

/** A record batch of rows with `id`, the columns and float32 vectors, built with the given build of the library. */
export function recordBatchOf(library: Arrow, rows: OutputRows, columns: readonly Column[]): RecordBatch {
  const schema = schemaOf(library, rows.dim, { dtype: 'float32', columns, metadata: {} });
  return batchOf(library, schema, [rows], { dtype: 'float32', columns });
}

function batchOf(
  library: Arrow,
  schema: ReturnType<typeof schemaOf>,
  group: readonly OutputRows[],
  { dtype, columns }: BatchOptions,
) {
  const { RecordBatch, Struct, makeData, vectorFromArray, Utf8, Float32 } = library;
  const ids = group.flatMap((slice) => slice.ids);
  const dim = group[0]!.dim;
  const floats = new Float32Array(ids.length * dim);
  const validity = new Uint8Array(Math.ceil(ids.length / 8));
  let nullCount = 0;
  let row = 0;
  for (const { vectors, present } of group) {
    floats.set(vectors, row * dim);
    for (const mark of present) {
      if (mark === 1) validity[row >> 3]! |= 1 << (row & 7);
      else nullCount += 1;
      row += 1;
    }
  }
  const type = (schema.fields[1 + columns.length] as Field<FixedSizeList>).type;
  const values = columnsOfGroup(group, columns.length);
  const child = makeData({
    type: type.children[0]!.type,
    length: floats.length,
    data: numbersOf(floats, dim, dtype),
  } as never) as unknown as Data;
  const children = [
    vectorFromArray(ids, new Utf8()).data[0]!,
    ...columns.map((column, n) => dataOf(library, column.type, values[n] ?? [])),
    makeData({ type, length: ids.length, nullCount, nullBitmap: validity, child }),
    ...(dtype === 'int8'
      ? [makeData({ type: new Float32(), length: ids.length, data: scalesOf(floats, dim) })]
      : []),
  ] as Data[];
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: ids.length, nullCount: 0, children }),
  );
}

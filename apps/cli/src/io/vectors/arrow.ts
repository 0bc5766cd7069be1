/** Reads vectors from Arrow IPC files: a column `vector` of fixed-size lists of float32, float16 or int8. */

import { type FileHandle, open } from 'node:fs/promises';
import { asError, floatsOfHalves, quote, type VectorRows } from '@embedmill/contract';
import type { FixedSizeList, RecordBatch, Vector } from 'apache-arrow';
import { UsageError } from '../../shell/exit-codes.ts';
import { readTableColumns } from './columns.ts';
import { makeSlice } from './slice.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/** Opens the file. @throws {UsageError} if it is not an Arrow file or has no such column */
export async function openArrow(path: string, name: string): Promise<VectorFile> {
  const file = await open(path, 'r');
  let dim: number;
  try {
    const { schema } = await readerOf(file, name);
    const vector = schema.fields.find((field) => field.name === 'vector');
    dim = Number(/^FixedSizeList\[(\d+)\]<(Float32|Float16|Int8)>$/.exec(String(vector?.type))?.[1] ?? 0);
    if (dim === 0) {
      const found = schema.fields.map((field) => `${quote(field.name)} (${field.type})`).join(', ');
      throw new UsageError(
        `${quote(name, 200)} has no column "vector" of fixed-size lists of floats or int8; its columns are ${found}`,
      );
    }
  } finally {
    await file.close();
  }
  return {
    ...{ name, rows: null, dim },
    read: (options) => readRows(path, name, options),
    readColumns: (only) => readTableColumns(path, 'arrow', only),
  };
}

/** Loads the library on first use. */
async function readerOf(file: FileHandle, name: string) {
  const { RecordBatchReader } = await import('apache-arrow');
  try {
    return await (await RecordBatchReader.from(file)).open();
  } catch (cause) {
    throw new UsageError(`${quote(name, 200)} cannot be read as Arrow: ${asError(cause).message}`, { cause });
  }
}

/** One slice per record batch. */
async function* readRows(
  path: string,
  name: string,
  options?: VectorReadOptions,
): AsyncGenerator<VectorRows> {
  const file = await open(path, 'r');
  try {
    let first = 0;
    for await (const batch of await readerOf(file, name)) {
      yield sliceOf(batch, first, options);
      first += batch.numRows;
    }
  } finally {
    await file.close();
  }
}

function sliceOf(batch: RecordBatch, first: number, options?: VectorReadOptions): VectorRows {
  const lists = batch.getChild('vector') as Vector<FixedSizeList>;
  const ids = batch.getChild('id');
  const dim = lists.type.listSize;
  const vectors = new Float32Array(batch.numRows * dim);
  const names: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    names.push(String(ids?.get(row) ?? first + row + 1));
    // The library returns the stored numbers: of a float16, its bits.
    const numbers = lists.get(row)?.toArray() as Float32Array | Uint16Array | Int8Array | undefined;
    if (numbers === undefined) continue;
    vectors.set(numbers instanceof Uint16Array ? floatsOfHalves(numbers) : numbers, row * dim);
  }
  return makeSlice(names, dim, vectors, options);
}

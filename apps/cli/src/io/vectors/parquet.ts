/** Reads vectors from Parquet: a column `vector` of lists of numbers and optionally a column `id`. */

import { open, stat } from 'node:fs/promises';
import { quote, type VectorRows } from '@embedmill/contract';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { UsageError } from '../../shell/exit-codes.ts';
import { readTableColumns } from './columns.ts';
import { readOwnVectors } from './parquet-own-pages.ts';
import { readFully } from './read-fully.ts';
import { makeSlice } from './slice.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/** Opens the file. @throws {UsageError} if it is not Parquet or has no column `vector` */
export async function openParquet(path: string, name: string): Promise<VectorFile> {
  const file = await openBytes(path);
  const metadata = await parquetMetadataAsync(file).catch((cause) => {
    throw new UsageError(`${quote(name, 200)} cannot be read as Parquet: ${cause.message}`, { cause });
  });
  const columns = topColumns(metadata);
  if (!columns.includes('vector')) {
    throw new UsageError(
      `${quote(name, 200)} has no column "vector"; its columns are ${columns.map((c) => quote(c)).join(', ')}`,
    );
  }
  return {
    name,
    rows: Number(metadata.num_rows),
    read: (options) => readRows(file, metadata, name, options),
    readColumns: (only) => readTableColumns(path, 'parquet', only),
  };
}

/** The bytes of a file for the library, whose own reader copies them twice. */
async function openBytes(path: string): Promise<AsyncBuffer> {
  const { size } = await stat(path);
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start);
      const file = await open(path, 'r');
      await readFully(file, bytes, start).finally(() => file.close());
      return bytes.buffer;
    },
  };
}

/** Names of the top-level columns; the schema is a tree in depth-first order (parquet-format, "Metadata"). */
function topColumns({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let n = 0; n < (schema[at]?.num_children ?? 0); n++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]!.name);
  return names;
}

/** One slice per row group. */
async function* readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  name: string,
  options?: VectorReadOptions,
): AsyncGenerator<VectorRows> {
  const hasIds = topColumns(metadata).includes('id');
  const isOwn = metadata.created_by === 'embedmill';
  let [first, known] = [0, 0];
  let waiting: string[] = [];
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const range = { file, metadata, rowStart: first, rowEnd: first + rows };
    const ids = hasIds ? (await parquetReadObjects({ ...range, columns: ['id'] })).map(({ id }) => id) : [];
    const own = isOwn ? await readOwnVectors(file, group) : null;
    const { dim, vectors } = own ?? pack(await parquetReadObjects({ ...range, columns: ['vector'] }), name);
    const from = first;
    const names = Array.from({ length: rows }, (_, n) => String(ids[n] ?? from + n + 1));
    first += rows;
    if (options?.asStored) {
      yield makeSlice(names, dim, vectors, options);
      continue;
    }
    // A group without any vector does not show the dimension. Its rows keep their numbers.
    known ||= dim;
    if (dim === 0) waiting.push(...names);
    if (known === 0) continue;
    if (waiting.length > 0) yield makeSlice(waiting, known, new Float32Array(waiting.length * known));
    waiting = [];
    if (dim > 0) yield makeSlice(names, dim, vectors);
  }
}

function pack(
  rows: readonly Record<string, unknown>[],
  name: string,
): { dim: number; vectors: Float32Array } {
  const lists = rows.map(({ vector }) => vector as ArrayLike<number> | null | undefined);
  const dim = lists.find((list) => list !== null && list !== undefined)?.length ?? 0;
  const vectors = new Float32Array(rows.length * dim);
  for (const [row, list] of lists.entries()) {
    if (list === null || list === undefined) continue;
    if (list.length !== dim) {
      throw new UsageError(`${quote(name, 200)} has vectors of ${dim} and of ${list.length} numbers`);
    }
    vectors.set(list, row * dim);
  }
  return { dim, vectors };
}

/**
 * Reads the vector column of Parquet files written by Embedmill: the counterpart of core's
 * `parquet-vectors.ts`.
 *
 * A general reader creates an array per list: 11,000 rows per second. The pages of our own files contain the
 * numbers in their memory layout, preceded by levels in runs as long as a vector.
 */

import { floatsOfHalves } from '@embedmill/contract';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

/** Definition level of a present number; runs of other levels are rows without a vector. */
const DEFINED = 2;

/** The first number in the dictionary of an int8 column; the others follow in order. */
const FIRST_INT8 = -127;

/** Decodes `count` numbers of a data page; the bytes start with its values. */
type ReadValues = (bytes: ArrayBuffer, count: number) => Float32Array;

/** Decoders by Parquet type and page encoding. */
const READERS: Readonly<Record<string, ReadValues>> = {
  'FLOAT PLAIN': (bytes) => new Float32Array(bytes),
  'FIXED_LEN_BYTE_ARRAY PLAIN': (bytes) => floatsOfHalves(new Uint16Array(bytes)),
  'INT32 RLE_DICTIONARY': readIndexes,
};

/**
 * The vectors of a row group, zeros for rows without one; `null` if the pages have another layout than ours.
 */
export async function readOwnVectors(
  file: AsyncBuffer,
  group: FileMetaData['row_groups'][number],
): Promise<{ dim: number; vectors: Float32Array } | null> {
  const meta = group.columns.find((column) => column.meta_data?.path_in_schema[0] === 'vector')?.meta_data;
  if (meta?.codec !== 'UNCOMPRESSED') return null;
  const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
  const bytes = await file.slice(start, start + Number(meta.total_compressed_size));
  const reader = { view: new DataView(bytes), offset: Number(meta.data_page_offset) - start };
  const rows = Number(group.num_rows);
  let dim = 0;
  let vectors = new Float32Array(0);
  let row = 0;
  while (reader.offset < bytes.byteLength) {
    const header = parquetHeader(reader);
    const page = header.data_page_header_v2;
    const readValues = READERS[`${meta.type} ${page?.encoding}`];
    if (page === undefined || readValues === undefined) return null;
    const levelsStart = reader.offset + page.repetition_levels_byte_length;
    const valuesStart = levelsStart + page.definition_levels_byte_length;
    const end = reader.offset + header.compressed_page_size;
    const count = page.num_values - page.num_nulls;
    const values = readValues(bytes.slice(valuesStart, end), count);
    const present = count / Math.max(1, page.num_rows - page.num_nulls);
    if (dim === 0 && present > 0) {
      dim = present;
      vectors = new Float32Array(rows * dim);
    }
    let at = 0;
    const levels = new Uint8Array(bytes, levelsStart, valuesStart - levelsStart);
    for (const { level, count: run } of levelRuns(levels)) {
      if (level !== DEFINED) {
        row += run;
        continue;
      }
      vectors.set(values.subarray(at, at + run), row * dim);
      at += run;
      row += run / dim;
    }
    reader.offset = end;
  }
  return row === rows ? { dim, vectors } : null;
}

/**
 * Runs of equal levels: twice the length as a varint, then the value (parquet-format, Encodings.md, "RLE").
 */
function* levelRuns(bytes: Uint8Array): Generator<{ level: number; count: number }> {
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    yield { level: bytes[next]!, count: value / 2 };
    at = next + 1;
  }
}

/**
 * The values of an int8 page: the bit width, the header of one bit-packed run, and one byte per dictionary
 * index.
 */
function readIndexes(bytes: ArrayBuffer, count: number): Float32Array {
  if (count === 0) return new Float32Array(0);
  const indexes = new Uint8Array(bytes);
  const { next } = readVarint(indexes, 1);
  return Float32Array.from(indexes.subarray(next, next + count), (index) => index + FIRST_INT8);
}

/** Seven bits per byte, lowest first; the highest bit means that more bytes follow (ULEB128). */
function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let next = at;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[next++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next };
  }
}

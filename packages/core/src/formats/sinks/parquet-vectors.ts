/** Writes the pages of the vector column of a Parquet row group. */

import type { Dtype, VectorRows } from '@embedmill/contract';
import { rowView } from '@embedmill/contract';
import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { bytesOf, inChunks, MAX_CHUNK_BYTES } from './chunks.ts';
import { DTYPE_BYTES, numbersOf } from './dtype.ts';
import { cutSlice } from './shape.ts';

/**
 * The footer entry of a column chunk; a hyparquet type, derived because hyparquet is not a direct dependency.
 */
type ColumnChunk = ParquetWriter['row_groups'][number]['columns'][number];

/** The physical type and the data page encoding per dtype. */
const LAYOUTS = {
  float32: { type: 'FLOAT', encoding: 'PLAIN' },
  float16: { type: 'FIXED_LEN_BYTE_ARRAY', encoding: 'PLAIN' },
  int8: { type: 'INT32', encoding: 'RLE_DICTIONARY' },
} as const satisfies Record<Dtype, unknown>;

/**
 * Parquet has no one-byte type, and a plain INT32 takes four bytes. As indices of a dictionary of all numbers
 * from −127 to 127, eight bits wide, the numbers take one byte each.
 */
const INT8_DICTIONARY = Int32Array.from({ length: 255 }, (_, index) => index - 127);
const INDEX_BITS = 8;

/** Definition levels of a present number (the optional list, its repeated entry) and of a null list. */
const DEFINED_LEVEL = 2;
const NULL_LIST_LEVEL = 0;

/**
 * Writes the column chunk `vector` of a row group, yields its bytes page by page, and returns its footer
 * entry.
 *
 * A generic writer of nested values visits every float several times. Here all lists have the same length, so
 * the levels of a row take a few bytes, and the values are the bytes of the vectors, copied unchanged.
 */
export function* writeVectorColumn(
  group: readonly VectorRows[],
  writer: ByteWriter,
  dtype: Dtype,
): Generator<Uint8Array, ColumnChunk> {
  const start = writer.offset;
  const { type, encoding } = LAYOUTS[dtype];
  const hasDictionary = dtype === 'int8';
  if (hasDictionary) writeDictionary(writer);
  const dataStart = writer.offset;
  const rowsPerPage = Math.max(1, Math.floor(MAX_CHUNK_BYTES / ((group[0]?.dim ?? 1) * DTYPE_BYTES[dtype])));
  let values = 0;
  let pages = 0;
  for (const page of cutPages(group, rowsPerPage)) {
    values += yield* writePage(page, writer, dtype);
    pages++;
  }
  const bytes = BigInt(writer.offset - start);
  return {
    file_offset: BigInt(start),
    meta_data: {
      type,
      encodings: hasDictionary ? ['PLAIN', 'RLE', 'RLE_DICTIONARY'] : ['PLAIN', 'RLE'],
      path_in_schema: ['vector', 'list', 'element'],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(values),
      total_compressed_size: bytes,
      total_uncompressed_size: bytes,
      ...(hasDictionary ? { dictionary_page_offset: BigInt(start) } : {}),
      data_page_offset: BigInt(dataStart),
      encoding_stats: [
        ...(hasDictionary ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: 'DATA_PAGE_V2', encoding, count: pages },
      ],
    },
  };
}

/** Takes the buffered bytes out of the writer; its file offset is kept. */
export function takeBytes(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}

/** Splits rows into pages of `rowsPerPage`, the last one shorter; a page is a list of views. */
function* cutPages(group: readonly VectorRows[], rowsPerPage: number): Generator<VectorRows[]> {
  let page: VectorRows[] = [];
  let free = rowsPerPage;
  for (const slice of group) {
    for (let from = 0; from < slice.ids.length; ) {
      const to = Math.min(slice.ids.length, from + free);
      page.push(cutSlice(slice, from, to));
      free -= to - from;
      from = to;
      if (free > 0) continue;
      yield page;
      page = [];
      free = rowsPerPage;
    }
  }
  if (page.length > 0) yield page;
}

/** Writes one data page; returns its number of entries (numbers and nulls). */
function* writePage(
  page: readonly VectorRows[],
  writer: ByteWriter,
  dtype: Dtype,
): Generator<Uint8Array, number> {
  const dim = page[0]?.dim ?? 0;
  const repetitions = new LevelRuns();
  const definitions = new LevelRuns();
  let rows = 0;
  let nulls = 0;
  for (const { present } of page) {
    rows += present.length;
    for (const mark of present) {
      repetitions.add(0, 1);
      if (mark === 1) repetitions.add(1, dim - 1);
      else nulls++;
      definitions.add(mark === 1 ? DEFINED_LEVEL : NULL_LIST_LEVEL, mark === 1 ? dim : 1);
    }
  }
  const repetitionBytes = repetitions.finish();
  const definitionBytes = definitions.finish();
  const values = valuesOf(presentVectors(page, dim, rows - nulls), dim, dtype);
  const pageBytes = repetitionBytes.length + definitionBytes.length + values.length;
  const entries = (rows - nulls) * dim + nulls;
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: pageBytes,
    compressed_page_size: pageBytes,
    data_page_header_v2: {
      num_values: entries,
      num_nulls: nulls,
      num_rows: rows,
      encoding: LAYOUTS[dtype].encoding,
      repetition_levels_byte_length: repetitionBytes.length,
      definition_levels_byte_length: definitionBytes.length,
      is_compressed: false,
    },
  });
  writer.appendBytes(repetitionBytes);
  writer.appendBytes(definitionBytes);
  yield* inChunks(takeBytes(writer));
  // The values bypass the writer, which would copy them twice; only its file offset is updated.
  yield* inChunks(values);
  writer.offset += values.length;
  return entries;
}

/** Writes the dictionary page of a column chunk, which precedes its data pages. */
function writeDictionary(writer: ByteWriter): void {
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: INT8_DICTIONARY.byteLength,
    compressed_page_size: INT8_DICTIONARY.byteLength,
    dictionary_page_header: { num_values: INT8_DICTIONARY.length, encoding: 'PLAIN' },
  });
  writer.appendBytes(bytesOf(INT8_DICTIONARY));
}

/** Encodes the values of a data page. */
function valuesOf(floats: Float32Array, dim: number, dtype: Dtype): Uint8Array {
  const numbers = numbersOf(floats, dim, dtype);
  return numbers instanceof Int8Array ? indicesOf(numbers) : bytesOf(numbers);
}

/**
 * Encodes numbers as dictionary indices: the index width in bits, then one bit-packed run, which begins with
 * twice the number of groups of eight, plus one, as a varint (Encodings.md, "RLE / bit-packing hybrid").
 */
function indicesOf(numbers: Int8Array): Uint8Array {
  if (numbers.length === 0) return Uint8Array.of(INDEX_BITS);
  const groups = Math.ceil(numbers.length / 8);
  const head = [INDEX_BITS, ...varint(groups * 2 + 1)];
  const indices = new Uint8Array(head.length + groups * 8);
  indices.set(head);
  for (let n = 0; n < numbers.length; n++) indices[head.length + n] = numbers[n]! + 127;
  return indices;
}

/**
 * Encodes an integer as ULEB128: seven bits per byte, lowest first; the highest bit is set if more bytes
 * follow.
 */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function presentVectors(page: readonly VectorRows[], dim: number, count: number): Float32Array {
  const values = new Float32Array(count * dim);
  let at = 0;
  for (const { vectors, present } of page) {
    for (let row = 0; row < present.length; row++) {
      if (present[row] !== 1) continue;
      values.set(rowView(vectors, dim, row), at);
      at += dim;
    }
  }
  return values;
}

/**
 * Encodes levels as runs of equal values, the RLE form of "RLE / bit-packing hybrid" (Encodings.md): twice
 * the length as a varint, then the value in one byte.
 */
class LevelRuns {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #value = 0;
  #count = 0;

  add(value: number, count: number): void {
    if (value !== this.#value) this.#flush();
    this.#value = value;
    this.#count += count;
  }

  finish(): Uint8Array {
    this.#flush();
    return this.#bytes.subarray(0, this.#length);
  }

  #flush(): void {
    if (this.#count === 0) return;
    if (this.#length + 8 > this.#bytes.length) this.#grow();
    for (const byte of varint(this.#count * 2)) this.#bytes[this.#length++] = byte;
    this.#bytes[this.#length++] = this.#value;
    this.#count = 0;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/**
 * Reads Parquet files page by page.
 *
 * hyparquet decodes pages and assembles nested values, but its own reader holds whole column chunks: gigabytes
 * for a file with one large row group. Here every column has a cursor that holds one page.
 */

import { asError, CorruptError } from '@embedmill/contract';
import type { FileMetaData } from 'hyparquet';
import { parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getMaxRepetitionLevel, getTreePath, isFlatColumn } from 'hyparquet/src/schema.js';
import { concatBytes } from './bytes.ts';
import { columnsOf, type ParquetColumn, type SchemaNode, withRawTypes } from './parquet-types.ts';
import type { RandomBytes, Table, TableCodecs, TableReadOptions, TableSlice } from './types.ts';

type RowGroup = FileMetaData['row_groups'][number];
type ColumnDecoder = Parameters<typeof readPage>[2];
type PageHeader = ReturnType<typeof parquetHeader>;
type Values = NonNullable<Parameters<typeof readPage>[3]>;

/** Maximum rows per slice; a slice also ends with the page of any column. */
const MAX_SLICE_ROWS = 1_024;

/** Bytes read at once from a column chunk; more if a page is larger. */
const WINDOW_BYTES = 256 * 1024;

/** Values are decoded as stored; the conversions of the columns do the rest. */
const PARSERS = {
  ...DEFAULT_PARSERS,
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
};

/**
 * Opens a file. Reading holds one page per column and its values: about 1 MiB per column in most files, and as
 * many bytes as the largest pages have in others.
 * @throws {CorruptError} `corrupt-parquet` if the file is damaged, encrypted or not Parquet
 */
export async function openParquetTable(bytes: RandomBytes, codecs: TableCodecs): Promise<Table> {
  const file = {
    byteLength: bytes.byteLength,
    slice: async (start: number, end = bytes.byteLength) => {
      const read = await bytes.read(Math.max(0, start), end);
      return new Uint8Array(read).buffer;
    },
  };
  const stored = await parquetMetadataAsync(file, { geoparquet: false }).catch((error) => {
    throw corrupt(asError(error).message, error);
  });
  const columns = columnsOf(stored);
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: Number(stored.num_rows),
    read: (options = {}) => readTable({ bytes, codecs }, withRawTypes(stored), columns, options),
  };
}

async function* readTable(
  source: TableSource,
  metadata: FileMetaData,
  columns: readonly ParquetColumn[],
  { columns: names, onFraction }: TableReadOptions,
): AsyncGenerator<TableSlice> {
  const root = parquetSchema(metadata);
  const chosen = (names ?? columns.map(({ name }) => name)).map((name) => {
    const at = columns.findIndex((column) => column.name === name);
    const [column, node] = [columns[at], root.children[at]];
    if (column === undefined || node === undefined) throw new Error(`internal error: no column ${name}`);
    return { column, node };
  });
  const total = Number(metadata.num_rows);
  let done = 0;
  for (const group of metadata.row_groups) {
    const cursors = chosen.map(
      ({ column, node }) => new ColumnCursor(column, node, { ...source, root, group }),
    );
    const rows = Number(group.num_rows);
    for (let left = rows; left > 0; ) {
      const available = [];
      for (const cursor of cursors) available.push(await cursor.available());
      const count = Math.min(left, MAX_SLICE_ROWS, ...available);
      if (count === 0) throw corrupt(`a row group has ${rows - left} rows; expected ${rows}`);
      const values = cursors.map((cursor) => cursor.take(count));
      left -= count;
      done += count;
      onFraction?.(done / total);
      yield { rows: count, values };
    }
  }
}

/** A file, and how its pages are unpacked. */
interface TableSource {
  bytes: RandomBytes;
  codecs: TableCodecs;
}

/** Where a cursor reads. */
interface CursorPlace extends TableSource {
  root: SchemaNode;
  group: RowGroup;
}

/** The values of a top-level column in a row group. */
class ColumnCursor {
  readonly #column: ParquetColumn;
  readonly #node: SchemaNode;
  readonly #leaves: LeafCursor[];

  constructor(column: ParquetColumn, node: SchemaNode, place: CursorPlace) {
    this.#column = column;
    this.#node = node;
    this.#leaves = leavesOf(node).map((leaf) => new LeafCursor(leaf, place));
  }

  /** The number of rows that can be taken; reads pages if there are none. */
  async available(): Promise<number> {
    let rows = Number.POSITIVE_INFINITY;
    for (const leaf of this.#leaves) rows = Math.min(rows, await leaf.available());
    return rows;
  }

  /** The next values, of rows that are available. */
  take(count: number): unknown[] {
    const { convert } = this.#column;
    const values = this.#assemble(count);
    const taken = new Array<unknown>(count);
    for (let n = 0; n < count; n++) {
      const value = values[n];
      taken[n] = value === null || value === undefined ? null : convert(value as never);
    }
    return taken;
  }

  #assemble(count: number): ArrayLike<unknown> {
    const [only] = this.#leaves;
    if (only?.isFlat) return only.take(count);
    const parts = new Map(this.#leaves.map((leaf) => [leaf.path, leaf.take(count) as Values]));
    assembleNested(parts, this.#node, PARSERS);
    return parts.get(this.#node.path.join('.')) ?? [];
  }
}

function leavesOf(node: SchemaNode): SchemaNode[] {
  return node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);
}

/** The values of a stored column in a row group, page by page. */
class LeafCursor {
  /** Dotted path of the column. */
  readonly path: string;
  readonly isFlat: boolean;
  readonly #isRepeated: boolean;
  readonly #decoder: ColumnDecoder;
  readonly #pages: PageReader;
  #dictionary: Values | undefined;
  #values: ArrayLike<unknown> = [];
  #at = 0;
  /** The last row of the page before, which the next page may continue. */
  #open: unknown[] = [];

  constructor(leaf: SchemaNode, { bytes, codecs, root, group }: CursorPlace) {
    this.path = leaf.path.join('.');
    const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === this.path);
    if (chunk?.meta_data === undefined) throw corrupt(`the column ${this.path} is missing or encrypted`);
    const schemaPath = getTreePath(root, leaf.path);
    this.isFlat = isFlatColumn(schemaPath);
    this.#isRepeated = getMaxRepetitionLevel(schemaPath) > 0;
    this.#decoder = {
      pathInSchema: leaf.path,
      element: leaf.element,
      schemaPath,
      codec: chunk.meta_data.codec,
      type: chunk.meta_data.type,
      parsers: PARSERS,
      compressors: codecs.compressors,
      utf8: false,
    };
    const { dictionary_page_offset: dictionary, data_page_offset: data } = chunk.meta_data;
    // Some writers state 0 for a chunk without a dictionary.
    const start = Number(dictionary || data);
    this.#pages = new PageReader(
      { bytes, codecs },
      start,
      start + Number(chunk.meta_data.total_compressed_size),
    );
  }

  async available(): Promise<number> {
    while (this.#at >= this.#values.length) {
      const page = await this.#pages.next();
      if (page === null && this.#open.length === 0) return 0;
      this.#values = page === null ? this.#close() : this.#decode(page);
      this.#at = 0;
    }
    return this.#values.length - this.#at;
  }

  take(count: number): unknown[] | ArrayLike<unknown> {
    const values = this.#values as unknown[];
    const taken = values.slice(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  #close(): unknown[] {
    const rest = this.#open;
    this.#open = [];
    return rest;
  }

  /** The complete rows of a page. */
  #decode({ header, bytes }: Page): ArrayLike<unknown> {
    if (header.type === 'DICTIONARY_PAGE') {
      this.#dictionary = this.#readDictionary(header, bytes);
      return [];
    }
    const count = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values;
    // Other kinds of pages are to be skipped (Parquet format, "Data Pages").
    if (count === undefined || count === 0) return [];
    const reader = { view: viewOf(bytes), offset: 0 };
    const before = this.#isRepeated ? this.#close() : [];
    const data =
      attempt(() => readPage(reader, header, this.#decoderOf(header), this.#dictionary, before, 0).data) ??
      [];
    if (!this.#isRepeated) return data;
    const rows = data as unknown[];
    this.#open = rows.splice(-1);
    return rows;
  }

  /**
   * DuckDB stores unsigned 32-bit integers as 64-bit deltas, which hyparquet cuts to 32 bits. As 64-bit
   * integers, these and 32-bit deltas are equal in their lower 32 bits.
   */
  #decoderOf({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader): ColumnDecoder {
    const isDelta = (v1?.encoding ?? v2?.encoding) === 'DELTA_BINARY_PACKED';
    return isDelta && this.#decoder.type === 'INT32' ? { ...this.#decoder, type: 'INT64' } : this.#decoder;
  }

  /** Converted once, so that equal strings share their memory. */
  #readDictionary(header: PageHeader, bytes: Uint8Array): Values | undefined {
    const reader = { view: viewOf(bytes), offset: 0 };
    const data = attempt(() => readPage(reader, header, this.#decoder, undefined, undefined, 0).data);
    return data === undefined ? undefined : convert(data, this.#decoder);
  }
}

/** A page as stored, compressed. */
interface Page {
  header: PageHeader;
  bytes: Uint8Array;
}

/** Reads the pages of a column chunk in order. */
class PageReader {
  readonly #bytes: RandomBytes;
  readonly #codecs: TableCodecs;
  readonly #end: number;
  #position: number;
  #window: Uint8Array = new Uint8Array(0);

  constructor({ bytes, codecs }: TableSource, start: number, end: number) {
    this.#bytes = bytes;
    this.#codecs = codecs;
    this.#position = start;
    this.#end = Math.min(end, bytes.byteLength);
  }

  async next(): Promise<Page | null> {
    if (this.#window.length === 0 && this.#position >= this.#end) return null;
    const header = await this.#header();
    const size = header.compressed_page_size;
    await this.#hold(size);
    if (this.#window.length < size) throw corrupt('a page ends behind its column');
    // A copy, because the numbers in it must be aligned, and the window must not outlive its pages.
    const bytes = new Uint8Array(this.#window.subarray(0, size));
    this.#window = this.#window.subarray(size);
    if (header.crc !== undefined && this.#codecs.crc32(bytes) !== header.crc >>> 0)
      throw corrupt('a page has a wrong checksum');
    return { header, bytes };
  }

  /** The length of a header is known once it is read; statistics make it long. */
  async #header(): Promise<PageHeader> {
    for (let held = 1024; ; held *= 4) {
      await this.#hold(held);
      const reader = { view: viewOf(this.#window), offset: 0 };
      try {
        const header = parquetHeader(reader);
        this.#window = this.#window.subarray(reader.offset);
        return header;
      } catch (error) {
        if (this.#window.length < held) throw corrupt(asError(error).message, error);
      }
    }
  }

  /** Reads ahead so that `count` bytes are held, or all that are left. */
  async #hold(count: number): Promise<void> {
    if (this.#window.length >= count || this.#position >= this.#end) return;
    const wanted = Math.max(count - this.#window.length, WINDOW_BYTES);
    const end = Math.min(this.#end, this.#position + wanted);
    const more = await this.#bytes.read(this.#position, end);
    this.#position = end;
    this.#window = this.#window.length === 0 ? more : concatBytes(this.#window, more);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function attempt<Value>(decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    throw corrupt(asError(error).message, error);
  }
}

function corrupt(problem: string, cause?: unknown): CorruptError {
  return new CorruptError(
    'corrupt-parquet',
    `the Parquet file cannot be read (${problem}); expected a complete Parquet file without encryption`,
    { cause },
  );
}

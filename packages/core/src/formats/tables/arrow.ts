/** Reads Arrow IPC files, Feather V2 files and Arrow streams, one record batch at a time. */

import type { FileHandle } from 'node:fs/promises';
import { asError, CorruptError } from '@embedmill/contract';
import type { DataType as ArrowType, Data, Field, RecordBatch } from 'apache-arrow';
import { decompress as unzstd } from 'fzstd';
import { unpackLz4Frame } from './lz4-frame.ts';
import type {
  Column,
  DataType,
  RandomBytes,
  Table,
  TableReadOptions,
  TableSlice,
  TimeUnit,
} from './types.ts';
import { toJson } from './values.ts';

type Arrow = typeof import('apache-arrow');

/** Maximum rows per slice; large batches are cut. */
const MAX_SLICE_ROWS = 1_024;

/** By the number that Arrow stores. */
const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns'];

const MS_PER_DAY = 86_400_000;

/** A type with the values of a piece of such data. */
interface Reading {
  type: DataType;
  /** The value in a row that is not null. */
  read: (data: Data, row: number) => unknown;
}

/** Takes values from record batches of one schema. */
export interface ArrowBatchReader {
  readonly columns: readonly Column[];
  /** The rows of a batch, with all columns. */
  slices(batch: RecordBatch): Iterable<TableSlice>;
}

/**
 * Opens a file or stream. Reading holds one record batch, unpacked.
 * @throws {CorruptError} `corrupt-arrow` if the file is damaged, ends early or is not Arrow
 */
export async function openArrowTable(bytes: RandomBytes): Promise<Table> {
  const library = await loadArrow();
  const { schema } = await openReader(library, new ArrowFile(bytes));
  const columns = schema.fields.map(({ name, type }) => ({ name, type: readingOf(library, type).type }));
  return { columns, rows: null, read: (options = {}) => readTable(library, bytes, options) };
}

/** The library, able to read packed batches. */
async function loadArrow(): Promise<Arrow> {
  const library = await import('apache-arrow');
  const { compressionRegistry, CompressionType } = library;
  // The length before each packed buffer is not passed on; a buffer has less than 2 GiB.
  // A copy, because numbers must be aligned.
  compressionRegistry.set(CompressionType.ZSTD, { decode: (packed) => unzstd(packed).slice() });
  compressionRegistry.set(CompressionType.LZ4_FRAME, {
    decode: (packed) => unpackLz4Frame(packed, lengthBefore(packed)),
  });
  return library;
}

/** The unpacked length, which is stored in the 8 bytes before a packed buffer ("Buffer compression"). */
function lengthBefore(packed: Uint8Array): number {
  const view = new DataView(packed.buffer, packed.byteOffset - 8, 8);
  return Number(view.getBigInt64(0, true));
}

/** Files are read by their footer, because some writers leave out the schema that streams start with. */
async function openReader({ RecordBatchReader }: Arrow, file: ArrowFile) {
  try {
    const reader = await RecordBatchReader.from(file as unknown as FileHandle);
    return await reader.open();
  } catch (error) {
    throw corrupt(asError(error).message, error);
  }
}

async function* readTable(
  library: Arrow,
  bytes: RandomBytes,
  { columns: names, onFraction }: TableReadOptions,
): AsyncGenerator<TableSlice> {
  const file = new ArrowFile(bytes);
  const reader = await openReader(library, file);
  const fields = reader.schema.fields;
  const positions = names?.map((name) => positionOf(fields, name)) ?? fields.map((_, n) => n);
  const readings = positions.map((at) => readingOf(library, (fields[at] as Field).type));
  const batches = reader[Symbol.asyncIterator]();
  const next = async (): Promise<RecordBatch | null> => {
    const result = await batches.next().catch((error) => {
      throw corrupt(asError(error).message, error);
    });
    return result.done ? null : result.value;
  };
  for (let batch = await next(); batch !== null; batch = await next()) {
    onFraction?.(file.fraction);
    yield* slicesOf(batch, positions, readings);
  }
}

/** A reader of the record batches with these fields, which another library read. */
export async function openArrowBatchReader(fields: readonly Field[]): Promise<ArrowBatchReader> {
  const library = await loadArrow();
  const readings = fields.map(({ type }) => readingOf(library, type));
  return {
    columns: fields.map(({ name }, n) => ({ name, type: (readings[n] as Reading).type })),
    slices: (batch) =>
      slicesOf(
        batch,
        fields.map((_, n) => n),
        readings,
      ),
  };
}

function* slicesOf(
  batch: RecordBatch,
  positions: readonly number[],
  readings: readonly Reading[],
): Generator<TableSlice> {
  const { children } = batch.data;
  for (let from = 0; from < batch.numRows; from += MAX_SLICE_ROWS) {
    const to = Math.min(batch.numRows, from + MAX_SLICE_ROWS);
    const values = positions.map((at, n) => valuesOf(children[at] as Data, readings[n] as Reading, from, to));
    yield { rows: to - from, values };
  }
}

function positionOf(fields: readonly Field[], name: string): number {
  const at = fields.findIndex((field) => field.name === name);
  if (at === -1) throw new Error(`internal error: no column ${name}`);
  return at;
}

function valuesOf(data: Data, { read }: Reading, from: number, to: number): unknown[] {
  const values = new Array<unknown>(to - from);
  for (let row = from; row < to; row++) values[row - from] = data.getValid(row) ? read(data, row) : null;
  return values;
}

/** How the values of a type are read. */
function readingOf(library: Arrow, type: ArrowType): Reading {
  const { DataType: Is, makeVector } = library;
  const element = (data: Data, row: number): never => (data.values as ArrayLike<never>)[row] as never;
  const got = (data: Data, row: number): unknown => makeVector(data).get(row);
  if (Is.isNull(type)) return { type: { kind: 'null' }, read: () => null };
  if (Is.isBool(type)) return { type: { kind: 'boolean' }, read: got };
  if (Is.isInt(type)) {
    return { type: { kind: 'integer', bits: type.bitWidth, signed: type.isSigned }, read: element };
  }
  if (Is.isFloat(type)) {
    const bits = ([16, 32, 64] as const)[type.precision];
    return { type: { kind: 'float', bits }, read: bits === 16 ? got : element };
  }
  if (Is.isDecimal(type)) {
    const words = type.bitWidth / 32;
    return {
      type: { kind: 'decimal', precision: type.precision, scale: type.scale },
      read: ({ values }, row) =>
        signedInteger((values as Uint32Array).subarray(row * words, (row + 1) * words)),
    };
  }
  if (Is.isUtf8(type) || Is.isLargeUtf8(type)) return { type: { kind: 'string' }, read: textAt };
  if (Is.isUtf8View(type)) return { type: { kind: 'string' }, read: got };
  if (Is.isBinary(type) || Is.isLargeBinary(type) || Is.isBinaryView(type) || Is.isFixedSizeBinary(type)) {
    return {
      type: { kind: 'binary' },
      read: (data, row) => Uint8Array.from(got(data, row) as Uint8Array),
    };
  }
  if (Is.isDate(type)) {
    const isDays = type.unit === library.DateUnit.DAY;
    return {
      type: { kind: 'date' },
      read: isDays ? element : (data, row) => Math.floor(Number(element(data, row)) / MS_PER_DAY),
    };
  }
  const big = (data: Data, row: number): bigint => BigInt(element(data, row));
  if (Is.isTime(type)) return { type: { kind: 'time', unit: UNITS[type.unit] as TimeUnit }, read: big };
  if (Is.isTimestamp(type)) {
    const utc = type.timezone !== null && type.timezone !== undefined && type.timezone !== '';
    return { type: { kind: 'timestamp', unit: UNITS[type.unit] as TimeUnit, utc }, read: big };
  }
  if (Is.isDuration(type)) return { type: { kind: 'integer', bits: 64, signed: true }, read: big };
  if (Is.isDictionary(type)) {
    const { type: valueType, read } = readingOf(library, type.dictionary);
    return {
      type: valueType,
      read: (data, row) => {
        let index = Number((data.values as ArrayLike<number | bigint>)[row]);
        for (const part of data.dictionary?.data ?? []) {
          if (index < part.length) return part.getValid(index) ? read(part, index) : null;
          index -= part.length;
        }
        throw corrupt('a dictionary has fewer values than its column uses');
      },
    };
  }
  if (Is.isList(type) || Is.isLargeList(type) || Is.isFixedSizeList(type)) {
    const item = readingOf(library, (type.children[0] as Field).type);
    const size = Is.isFixedSizeList(type) ? type.listSize : null;
    return {
      type: { kind: 'list', item: item.type },
      read: ({ valueOffsets, children: [child] }, row) => {
        const [from, to] =
          size === null
            ? [Number(valueOffsets[row]), Number(valueOffsets[row + 1])]
            : [row * size, (row + 1) * size];
        return valuesOf(child as Data, item, from, to);
      },
    };
  }
  if (Is.isStruct(type) && type.children.length > 0) {
    const fields = type.children.map(({ name, type: inner }) => ({
      name,
      reading: readingOf(library, inner),
    }));
    return {
      type: {
        kind: 'struct',
        fields: fields.map(({ name, reading }): Column => ({ name, type: reading.type })),
      },
      read: ({ children }, row) =>
        Object.fromEntries(
          fields.map(({ name, reading }, n) => [
            name,
            valuesOf(children[n] as Data, reading, row, row + 1)[0],
          ]),
        ),
    };
  }
  if (Is.isMap(type)) {
    const pairs = readingOf(library, (type.children[0] as Field).type);
    return {
      type: { kind: 'json' },
      read: ({ valueOffsets, children: [child] }, row) => {
        const entries = valuesOf(
          child as Data,
          pairs,
          Number(valueOffsets[row]),
          Number(valueOffsets[row + 1]),
        );
        const fields = pairs.type.kind === 'struct' ? pairs.type.fields : [];
        return Object.fromEntries(
          entries.map((entry) => {
            const [key, value] = fields.map((field) =>
              toJson((entry as Record<string, unknown>)[field.name], field.type),
            );
            return [String(key), value];
          }),
        );
      },
    };
  }
  // Unions and intervals.
  return { type: { kind: 'json' }, read: (data, row) => plain(got(data, row)) };
}

function textAt({ values, valueOffsets }: Data, row: number): string {
  const bytes = values as unknown as Uint8Array;
  const [from, to] = [Number(valueOffsets[row]), Number(valueOffsets[row + 1])];
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();
}

/** The integer in little-endian words of 32 bits in two's complement. */
function signedInteger(words: Uint32Array): bigint {
  let value = 0n;
  for (let n = words.length - 1; n >= 0; n--) value = (value << 32n) | BigInt((words[n] ?? 0) >>> 0);
  return BigInt.asIntN(words.length * 32, value);
}

function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Int32Array);
  return JSON.parse(
    JSON.stringify(value ?? null, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)),
  );
}

/** A file handle, as the library expects it, that counts how far it was read. */
class ArrowFile {
  readonly #bytes: RandomBytes;
  #read = 0;
  /** Distinguishes file handles; not used otherwise. */
  readonly fd = 0;

  constructor(bytes: RandomBytes) {
    this.#bytes = bytes;
  }

  /** The fraction read so far, from 0 to 1. */
  get fraction(): number {
    return this.#bytes.byteLength === 0 ? 1 : this.#read / this.#bytes.byteLength;
  }

  async stat(): Promise<{ size: number }> {
    return { size: this.#bytes.byteLength };
  }

  async read(buffer: Uint8Array, offset: number, length: number, position: number) {
    const end = Math.min(this.#bytes.byteLength, position + length);
    const bytes = position < end ? await this.#bytes.read(position, end) : Buffer.alloc(0);
    buffer.set(bytes, offset);
    this.#read = Math.max(this.#read, end);
    return { bytesRead: bytes.length, buffer };
  }

  async close(): Promise<void> {}
}

function corrupt(problem: string, cause?: unknown): CorruptError {
  return new CorruptError(
    'corrupt-arrow',
    `the Arrow file cannot be read (${problem}); expected a complete Arrow IPC file, Feather V2 file or Arrow stream`,
    { cause },
  );
}

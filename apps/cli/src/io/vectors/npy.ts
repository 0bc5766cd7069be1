/** Reads vectors from NumPy files (.npy), with ids from the companion file .ids.jsonl. */

import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Dtype, floatsOfHalves, quote, type VectorRows } from '@embedmill/contract';
import { DTYPE_BYTES } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import { readLineColumns, type StoredColumns } from './columns.ts';
import { idsPath } from './companions.ts';
import { readLineSlices } from './lines.ts';
import { readFully } from './read-fully.ts';
import { makeSlice, rowsPerSlice } from './slice.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/**
 * Maximum bytes before the header text: magic, version and header length (NEP 1), which has four bytes in
 * version 2.
 */
const MAX_PREFIX_BYTES = 12;

/** Supported types by their NumPy names. */
const DTYPES: Readonly<Record<string, Dtype>> = { '<f4': 'float32', '<f2': 'float16', '|i1': 'int8' };

/** Contents of the header. */
interface NpyShape {
  rows: number;
  dim: number;
  dtype: Dtype;
  /** Offset of the first number in bytes. */
  start: number;
}

/** Opens the file. @throws {UsageError} unless it is a C-ordered matrix of float32, float16 or int8 */
export async function openNpy(path: string, name: string): Promise<VectorFile> {
  const file = await open(path, 'r');
  const shape = await readShape(file, name).finally(() => file.close());
  return {
    ...{ name, rows: shape.rows, dim: shape.dim },
    read: (options) => readRows(path, shape, options),
    readColumns: () => readColumns(path, shape),
  };
}

async function readShape(file: FileHandle, name: string): Promise<NpyShape> {
  const prefix = Buffer.alloc(MAX_PREFIX_BYTES);
  const { bytesRead } = await file.read(prefix, 0, MAX_PREFIX_BYTES, 0);
  if (bytesRead < MAX_PREFIX_BYTES || prefix.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw new UsageError(`${quote(name, 200)} is not a .npy file`);
  }
  const textStart = prefix[6] === 1 ? 10 : 12;
  const textBytes = prefix[6] === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
  const text = Buffer.alloc(Math.min(textBytes, 64 * 1024));
  await file.read(text, 0, text.length, textStart);
  const header = text.toString('latin1').trim();
  const found = /'shape': \((\d+), (\d+),?\)/.exec(header);
  const dtype = DTYPES[/'descr': '([^']*)'/.exec(header)?.[1] ?? ''];
  if (found === null || dtype === undefined || !/'fortran_order': False/.test(header)) {
    throw new UsageError(
      `${quote(name, 200)} holds ${quote(header, 120)}; ` +
        "expected a matrix of float32 ('<f4'), float16 ('<f2') or int8 ('|i1') in C order",
    );
  }
  const shape = { rows: Number(found[1]), dim: Number(found[2]), dtype, start: textStart + textBytes };
  const { size } = await file.stat();
  const expected = shape.start + shape.rows * shape.dim * DTYPE_BYTES[dtype];
  if (size !== expected) {
    throw new UsageError(`${quote(name, 200)} has ${size} bytes; expected ${expected} for ${found[0]}`);
  }
  return shape;
}

async function* readRows(
  path: string,
  shape: NpyShape,
  options?: VectorReadOptions,
): AsyncGenerator<VectorRows> {
  const { rows, dim } = shape;
  const file = await open(path, 'r');
  const ids = existsSync(idsPath(path)) ? new IdReader(idsPath(path)) : null;
  try {
    for (let first = 0; first < rows; ) {
      const count = Math.min(rowsPerSlice(dim), rows - first);
      const vectors = await readFloats(file, shape, first, count);
      const known = (await ids?.take(count)) ?? [];
      // A row without an id gets its number from 1, as everywhere in Embedmill.
      const from = first;
      const names = Array.from({ length: count }, (_, n) => known[n] ?? String(from + n + 1));
      yield makeSlice(names, dim, vectors, options);
      first += count;
    }
  } finally {
    await ids?.close();
    await file.close();
  }
}

/** The columns of the companion file, which may have fewer or more lines than the matrix has rows. */
async function* readColumns(path: string, { rows }: NpyShape): AsyncGenerator<StoredColumns> {
  const companion = idsPath(path);
  let left = rows;
  if (existsSync(companion)) {
    for await (const { ids, objects } of readLineColumns(companion)) {
      if (left > 0) yield { ids: ids.slice(0, left), objects: objects.slice(0, left) };
      left -= Math.min(left, ids.length);
    }
  }
  if (left > 0) yield { ids: new Array<string>(left).fill(''), objects: [] };
}

/** The numbers of `count` rows as floats. int8 is not scaled, because vectors are normalized later. */
async function readFloats(
  file: FileHandle,
  { dim, dtype, start }: NpyShape,
  first: number,
  count: number,
): Promise<Float32Array> {
  const rowBytes = dim * DTYPE_BYTES[dtype];
  const bytes = new Uint8Array(count * rowBytes);
  await readFully(file, bytes, start + first * rowBytes);
  if (dtype === 'float32') return new Float32Array(bytes.buffer);
  return dtype === 'float16'
    ? floatsOfHalves(new Uint16Array(bytes.buffer))
    : Float32Array.from(new Int8Array(bytes.buffer));
}

/** Reads the ids of the companion file in order. */
class IdReader {
  readonly #slices: AsyncGenerator<{ text: string }[], undefined>;
  /** Lines that were read and not taken. */
  #lines: { text: string }[] = [];

  constructor(path: string) {
    this.#slices = readLineSlices(path, path);
  }

  /** Returns the next ids, fewer than `count` at the end of the file. */
  async take(count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const taken = this.#lines.splice(0, count - ids.length);
      for (const { text } of taken) ids.push(String(JSON.parse(text).id));
      if (taken.length > 0) continue;
      const next = await this.#slices.next();
      if (next.value === undefined) break;
      this.#lines = next.value;
    }
    return ids;
  }

  async close(): Promise<void> {
    await this.#slices.return(undefined);
  }
}

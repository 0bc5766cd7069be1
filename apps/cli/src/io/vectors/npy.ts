/** Reads vectors from NumPy's .npy, with the ids from the .ids.jsonl beside it. */

import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Dtype, floatsOfHalves, quote, type VectorRows } from '@embedmill/contract';
import { DTYPE_BYTES } from '@embedmill/core/formats';
import { idsPath } from '../../engine/run/fetch.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { makeSlice, rowsPerSlice } from './slice.ts';
import type { VectorFile } from './types.ts';

/** NEP 1: magic, version and the length of the header's text come before it; version 2 has four bytes of length. */
const LONGEST_PREFIX = 12;

/** Types that are read, by NumPy's names of them. */
const DTYPES: Readonly<Record<string, Dtype>> = { '<f4': 'float32', '<f2': 'float16', '|i1': 'int8' };

/** What the header says. */
interface NpyShape {
  rows: number;
  dim: number;
  dtype: Dtype;
  /** Where the first float stands. */
  start: number;
}

/** @throws {UsageError} unless it is a C-ordered matrix of float32, float16 or int8 */
export async function openNpy(path: string, name: string): Promise<VectorFile> {
  const file = await open(path, 'r');
  const shape = await readShape(file, name).finally(() => file.close());
  return { name, rows: shape.rows, dim: shape.dim, read: () => readRows(path, shape) };
}

async function readShape(file: FileHandle, name: string): Promise<NpyShape> {
  const prefix = Buffer.alloc(LONGEST_PREFIX);
  const { bytesRead } = await file.read(prefix, 0, LONGEST_PREFIX, 0);
  if (bytesRead < LONGEST_PREFIX || prefix.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw new UsageError(`${quote(name, 200)} does not begin as a .npy file does`);
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
      `${quote(name, 200)} holds ${quote(header, 120)}; expected a matrix of float32 ('<f4'), float16 ('<f2') or int8 ('|i1') in C order`,
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

async function* readRows(path: string, shape: NpyShape): AsyncGenerator<VectorRows> {
  const { rows, dim } = shape;
  const file = await open(path, 'r');
  const ids = readIds(path);
  try {
    for (let first = 0; first < rows; ) {
      const count = Math.min(rowsPerSlice(dim), rows - first);
      const vectors = await readFloats(file, shape, first, count);
      yield makeSlice(await takeIds(ids, first, count), dim, vectors);
      first += count;
    }
  } finally {
    await ids?.return(undefined);
    await file.close();
  }
}

/** The numbers of some rows as floats; those of int8 without their scales, as only directions count here. */
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

async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) throw new UsageError('the .npy file became shorter while it was read');
    at += bytesRead;
  }
}

/** The ids beside the file; `null` when it has none. */
function readIds(path: string): AsyncGenerator<string, undefined> | null {
  const beside = idsPath(path);
  return existsSync(beside) ? idLines(beside) : null;
}

async function* idLines(path: string): AsyncGenerator<string, undefined> {
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line !== '') yield String(JSON.parse(line).id);
  }
}

/** The next ids; rows without one are called by their number, from 1, as the rest of Embedmill does. */
async function takeIds(
  ids: AsyncGenerator<string, undefined> | null,
  first: number,
  count: number,
): Promise<string[]> {
  const taken: string[] = [];
  for (let n = 0; n < count; n++) {
    const next = await ids?.next();
    taken.push(next?.value ?? String(first + n + 1));
  }
  return taken;
}

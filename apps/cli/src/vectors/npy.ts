/** Reads vectors from NumPy's .npy, with the ids from the .ids.jsonl beside it. */

import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { quote, type VectorRows } from '@embedmill/core';
import { idsPath } from '../embed/fetch.ts';
import { UsageError } from '../exit-codes.ts';
import { makeSlice, rowsPerSlice } from './slice.ts';
import type { VectorFile } from './types.ts';

/** NEP 1: magic, version and the length of the header's text come before it; version 2 has four bytes of length. */
const LONGEST_PREFIX = 12;

/** What the header says. */
interface NpyShape {
  rows: number;
  dim: number;
  /** Where the first float stands. */
  start: number;
}

/** @throws {UsageError} unless it is a C-ordered matrix of float32 */
export async function openNpy(path: string, name: string): Promise<VectorFile> {
  const file = await open(path, 'r');
  const shape = await readShape(file, name).finally(() => file.close());
  return { name, rows: shape.rows, read: () => readRows(path, shape) };
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
  const isReadable = /'descr': '<f4'/.test(header) && /'fortran_order': False/.test(header);
  if (found === null || !isReadable) {
    throw new UsageError(
      `${quote(name, 200)} holds ${quote(header, 120)}; expected a matrix of float32 ('<f4') in C order`,
    );
  }
  const shape = { rows: Number(found[1]), dim: Number(found[2]), start: textStart + textBytes };
  const { size } = await file.stat();
  const expected = shape.start + shape.rows * shape.dim * 4;
  if (size !== expected) {
    throw new UsageError(`${quote(name, 200)} has ${size} bytes; expected ${expected} for ${found[0]}`);
  }
  return shape;
}

async function* readRows(path: string, { rows, dim, start }: NpyShape): AsyncGenerator<VectorRows> {
  const file = await open(path, 'r');
  const ids = readIds(path);
  try {
    for (let first = 0; first < rows; ) {
      const count = Math.min(rowsPerSlice(dim), rows - first);
      const vectors = new Float32Array(count * dim);
      const bytes = new Uint8Array(vectors.buffer);
      await readFully(file, bytes, start + first * dim * 4);
      yield makeSlice(await takeIds(ids, first, count), dim, vectors);
      first += count;
    }
  } finally {
    await ids?.return(undefined);
    await file.close();
  }
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

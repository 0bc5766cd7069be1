/** Reads vectors from JSON lines: a list of numbers, base64 or null. */

import { floatsOfHalves, quote, type VectorRows } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { readLineColumns } from './columns.ts';
import { readLines } from './lines.ts';
import { makeSlice, rowsPerSlice } from './slice.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/** Buffered rows. Rows without a vector are held until a row with one shows the dimension. */
interface Pending {
  ids: string[];
  vectors: (Float32Array | null)[];
}

/** Opens the file; errors appear when it is read. */
export function openJsonl(path: string, name: string): VectorFile {
  return {
    ...{ name, rows: null },
    read: (options) => readRows(path, name, options),
    readColumns: () => readLineColumns(path),
  };
}

async function* readRows(
  path: string,
  name: string,
  options?: VectorReadOptions,
): AsyncGenerator<VectorRows> {
  let dim: number | null = null;
  let pending: Pending = { ids: [], vectors: [] };
  for await (const { line, text } of readLines(path, name)) {
    const { id, vector } = readLine(text, `${name}:${line}`);
    if (vector !== null && dim !== null && vector.length !== dim) {
      throw new UsageError(
        `${name}:${line} has ${vector.length} floats; expected ${dim}, as in earlier lines`,
      );
    }
    dim ??= vector?.length ?? null;
    pending.ids.push(id ?? String(line));
    pending.vectors.push(vector);
    if (dim === null || pending.ids.length < rowsPerSlice(dim)) continue;
    yield sliceOf(pending, dim, options);
    pending = { ids: [], vectors: [] };
  }
  if (dim === null) throw new UsageError(`${quote(name, 200)} has no line with a "vector"`);
  if (pending.ids.length > 0) yield sliceOf(pending, dim, options);
}

function readLine(text: string, place: string): { id: string | null; vector: Float32Array | null } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${place} is not JSON: ${quote(text)}`, { cause });
  }
  const { id = null, vector, dtype } = (value ?? {}) as Record<string, unknown>;
  return { id: id === null ? null : String(id), vector: readVector(vector, dtype, place) };
}

function readVector(given: unknown, dtype: unknown, place: string): Float32Array | null {
  if (given === null) return null;
  if (Array.isArray(given) && given.length > 0 && given.every((value) => typeof value === 'number')) {
    return Float32Array.from(given);
  }
  if (typeof given === 'string') {
    const floats = readBase64(given, dtype);
    if (floats !== null) return floats;
  }
  throw new UsageError(
    `${place} has the "vector" ${quote(given)}; expected a list of numbers, null, or base64 of float32 or the "dtype" given`,
  );
}

/** `null` unless the bytes are complete numbers. int8 is not scaled, because vectors are normalized later. */
function readBase64(given: string, dtype: unknown): Float32Array | null {
  // A copy, because floats must be aligned to four bytes.
  const bytes = Uint8Array.from(Buffer.from(given, 'base64'));
  if (bytes.length === 0) return null;
  if (dtype === 'int8') return Float32Array.from(new Int8Array(bytes.buffer));
  if (dtype === 'float16') {
    return bytes.length % 2 === 0 ? floatsOfHalves(new Uint16Array(bytes.buffer)) : null;
  }
  return bytes.length % 4 === 0 ? new Float32Array(bytes.buffer) : null;
}

function sliceOf({ ids, vectors }: Pending, dim: number, options?: VectorReadOptions): VectorRows {
  const floats = new Float32Array(ids.length * dim);
  for (const [row, vector] of vectors.entries()) if (vector !== null) floats.set(vector, row * dim);
  return makeSlice(ids, dim, floats, options);
}

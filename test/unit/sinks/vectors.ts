/** Makes rows of vectors for the encoders' tests and reads what they wrote; unit tests and contracts call it. */
import type { EncodeOptions, Encoding, VectorRows } from '@embedmill/core';

/** Rows of unlike floats from a seed; every `absentEvery`th row has no vector. */
export function makeRows(rows: number, dim: number, { seed = 7, absentEvery = Infinity } = {}): VectorRows {
  const vectors = new Float32Array(rows * dim);
  const present = new Uint8Array(rows).fill(1);
  let state = seed;
  for (let n = 0; n < vectors.length; n++) {
    // Numerical Recipes' linear congruential generator: enough to make floats that differ in all their bits.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vectors[n] = (state / 2 ** 32 - 0.5) / 8;
  }
  for (let row = absentEvery - 1; row < rows; row += absentEvery) {
    present[row] = 0;
    vectors.fill(0, row * dim, (row + 1) * dim);
  }
  return { ids: Array.from({ length: rows }, (_, n) => `row-${n}`), dim, vectors, present };
}

/** The same rows in slices that end at the given rows; repeated cuts give empty slices. */
export async function* sliceAt(rows: VectorRows, cuts: readonly number[]): AsyncGenerator<VectorRows> {
  const { ids, dim, vectors, present } = rows;
  let from = 0;
  for (const to of [...cuts, ids.length]) {
    yield {
      ids: ids.slice(from, to),
      dim,
      vectors: vectors.slice(from * dim, to * dim),
      present: present.slice(from, to),
    };
    from = to;
  }
}

/** Everything an encoding writes of these rows, as its chunks. */
export async function encodeChunks(
  encoding: Encoding,
  rows: VectorRows,
  { cuts = [], ...options }: EncodeOptions & { cuts?: readonly number[] } = {},
): Promise<Uint8Array[]> {
  const shape = { rows: rows.ids.length, dim: rows.dim };
  return collect(encoding.encode(sliceAt(rows, cuts), shape, options));
}

/** All chunks of a stream. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** A .npy file of two dimensions, read by the letter of NumPy's format description. */
export function readNpy(bytes: Buffer): { descr: string; shape: [number, number]; floats: Float32Array } {
  if (bytes.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00')
    throw new Error('not a .npy file of version 1.0');
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const found = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$/.exec(
    header,
  );
  if (found === null || start % 64 !== 0) throw new Error(`not a header: ${JSON.stringify(header)}`);
  const floats = new Float32Array((bytes.length - start) / 4);
  for (let n = 0; n < floats.length; n++) floats[n] = bytes.readFloatLE(start + n * 4);
  return { descr: found[1] ?? '', shape: [Number(found[2]), Number(found[3])], floats };
}

/** Makes vector rows for the tests of the encoders, and reads the files that these write. */
import type { Dtype, VectorRows } from '@embedmill/contract';
import type { EncodeOptions, Format } from '@embedmill/core/formats';

/** Rows of pseudo-random floats; every `absentEvery`th row has no vector. */
export function makeRows(rows: number, dim: number, { seed = 7, absentEvery = Infinity } = {}): VectorRows {
  const vectors = new Float32Array(rows * dim);
  const present = new Uint8Array(rows).fill(1);
  let state = seed;
  for (let n = 0; n < vectors.length; n++) {
    // The linear congruential generator of Numerical Recipes; its floats differ in all bits.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vectors[n] = (state / 2 ** 32 - 0.5) / 8;
  }
  for (let row = absentEvery - 1; row < rows; row += absentEvery) {
    present[row] = 0;
    vectors.fill(0, row * dim, (row + 1) * dim);
  }
  return { ids: Array.from({ length: rows }, (_, n) => `row-${n}`), dim, vectors, present };
}

/** The same rows with vectors of length 1. */
export function unitRows(
  rows: number,
  dim: number,
  options: Parameters<typeof makeRows>[2] = {},
): VectorRows {
  const made = makeRows(rows, dim, options);
  for (let row = 0; row < rows; row++) {
    const vector = made.vectors.subarray(row * dim, (row + 1) * dim);
    const length = Math.hypot(...vector);
    if (length > 0) for (const [i, value] of vector.entries()) vector[i] = value / length;
  }
  return made;
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

/** Encodes rows and returns the chunks. */
export async function encodeChunks(
  encoding: Format,
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

/** Bytes of a number in a little-endian file. */
const WIDTHS = { float32: 4, float16: 2, int8: 1 } as const;

/** Decodes little-endian numbers. */
export function numbersIn(bytes: Buffer, dtype: Dtype): number[] {
  return Array.from({ length: bytes.length / WIDTHS[dtype] }, (_, n) => {
    if (dtype === 'float32') return bytes.readFloatLE(n * 4);
    return dtype === 'int8' ? bytes.readInt8(n) : halfOf(bytes.readUInt16LE(n * 2));
  });
}

/** Decodes a half as defined by IEEE 754: sign, five exponent bits, ten fraction bits. */
export function halfOf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent < 31) return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
  return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
}

/** NumPy type descriptions of the dtypes. */
const NUMPY_TYPES: Readonly<Record<string, Dtype>> = { '<f4': 'float32', '<f2': 'float16', '|i1': 'int8' };

/** Parses a .npy file of one or two dimensions as specified by NumPy. */
export function readNpy(bytes: Buffer): { descr: string; shape: number[]; numbers: number[] } {
  if (bytes.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00')
    throw new Error('not a .npy file of version 1.0');
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const found = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \((\d+),(?: (\d+))?\), \} *\n$/.exec(
    header,
  );
  const dtype = NUMPY_TYPES[found?.[1] ?? ''];
  if (found === null || dtype === undefined || start % 64 !== 0)
    throw new Error(`not a header: ${JSON.stringify(header)}`);
  return {
    descr: found[1]!,
    shape: found
      .slice(2)
      .filter((size) => size !== undefined)
      .map(Number),
    numbers: numbersIn(bytes.subarray(start), dtype),
  };
}

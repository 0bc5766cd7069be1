/** Writes NumPy .npy files: a header of fixed length, then the numbers of all rows. */

import type { Dtype, VectorRows } from '@embedmill/contract';
import { bytesOf, inChunks } from './chunks.ts';
import { numbersOf, scalesOf } from './dtype.ts';
import { checkShape } from './shape.ts';
import type { Format, OutputShape } from './types.ts';

/**
 * Length of the header for any shape. Row r of vectors with d numbers of b bytes is stored at bytes
 * `NPY_HEADER_BYTES + r·d·b` to `NPY_HEADER_BYTES + (r + 1)·d·b` of the file, so that byte ranges can be
 * served.
 */
export const NPY_HEADER_BYTES = 128;

/**
 * Magic number, version 1.0 and the length of the header text (NEP 1, "Format Specification: Version 1.0").
 */
const PREFIX_BYTES = 10;

/** NumPy type descriptions: byte order, kind, bytes. */
const DESCRIPTIONS: Readonly<Record<Dtype, string>> = { float32: '<f4', float16: '<f2', int8: '|i1' };

/**
 * The header of a C-ordered little-endian array: version 1.0, padded with spaces to `NPY_HEADER_BYTES` (the
 * format requires a multiple of 64), enough for any shape up to 2^53 × 2^53.
 * @param shape `[rows, dim]` or `[rows]`
 */
export function npyHeader(shape: readonly number[], dtype: Dtype = 'float32'): Uint8Array {
  const header = Buffer.alloc(NPY_HEADER_BYTES, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(NPY_HEADER_BYTES - PREFIX_BYTES, 8);
  // A Python tuple with one element has a trailing comma.
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  header.write(
    `{'descr': '${DESCRIPTIONS[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`,
    PREFIX_BYTES,
    'latin1',
  );
  header.write('\n', NPY_HEADER_BYTES - 1, 'latin1');
  return header;
}

/**
 * A matrix of rows × dim, with zeros for rows without a vector. Ids and the scales of int8 are separate
 * files, see `encodeIds` and `encodeScales`.
 */
export const npy: Format = {
  name: 'npy',
  contentType: 'application/octet-stream',
  extension: '.npy',
  head: ({ rows, dim }, { dtype = 'float32' } = {}) => npyHeader([rows, dim], dtype),
  async *encode(rows, shape, { dtype = 'float32' } = {}) {
    yield npyHeader([shape.rows ?? 0, shape.dim], dtype);
    // Memory order is file order: all platforms this project is tested on are little-endian.
    for await (const { vectors, dim } of checkShape(rows, shape))
      yield* inChunks(bytesOf(numbersOf(vectors, dim, dtype)));
  },
};

/**
 * The scales of an int8 .npy, as `.scales.npy` beside it: float32, one per row, 0 for a row without a vector.
 */
export async function* encodeScales(
  rows: AsyncIterable<VectorRows>,
  shape: OutputShape,
): AsyncGenerator<Uint8Array> {
  yield npyHeader([shape.rows ?? 0]);
  for await (const { vectors, dim } of checkShape(rows, shape))
    yield* inChunks(bytesOf(scalesOf(vectors, dim)));
}

/** Writes NumPy's .npy: a header of fixed length, then the float32 of all rows. */
import { bytesOf, inChunks } from './chunks.ts';
import { checkShape } from './shape.ts';
import type { Encoding } from './types.ts';

/**
 * Length of the header, whatever the shape. Row r of vectors with d floats is at bytes
 * `npyHeaderBytes + r·d·4` to `npyHeaderBytes + (r + 1)·d·4` of the file, so that a range can be served without the rest.
 */
export const npyHeaderBytes = 128;

/** Magic, version 1.0 and the length of the text behind it: NEP 1, "format specification: version 1.0". */
const prefixBytes = 10;

/**
 * The header of a C-ordered little-endian float32 array of rows × dim: version 1.0, padded with spaces to
 * `npyHeaderBytes` (the format asks for a multiple of 64), which leaves room for any shape up to 2^53 × 2^53.
 */
export function npyHeader(rows: number, dim: number): Uint8Array {
  const header = Buffer.alloc(npyHeaderBytes, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(npyHeaderBytes - prefixBytes, 8);
  header.write(
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dim}), }`,
    prefixBytes,
    'latin1',
  );
  header.write('\n', npyHeaderBytes - 1, 'latin1');
  return header;
}

/** float32 rows × dim, zeros for rows without a vector. Ids are not in it: they go beside it, see `encodeIds`. */
export const npy: Encoding = {
  name: 'npy',
  contentType: 'application/octet-stream',
  extension: '.npy',
  async *encode(rows, shape) {
    yield npyHeader(shape.rows, shape.dim);
    // Node runs on little-endian machines only, as far as this project is tested, so memory order is file order.
    for await (const { vectors } of checkShape(rows, shape)) yield* inChunks(bytesOf(vectors));
  },
};

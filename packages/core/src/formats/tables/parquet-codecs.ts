/** Unpacks the pages of Parquet files: snappy, gzip, brotli, zstd and lz4. */

import * as zlib from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** As in Node 22.15 and later. */
type Unzstd = (bytes: Uint8Array) => Buffer;

const unzstd = (zlib as { zstdDecompressSync?: Unzstd }).zstdDecompressSync;

/** Node's own libraries are several times faster than those in JavaScript. */
const NATIVE: Compressors = {
  GZIP: (bytes) => zlib.gunzipSync(bytes),
  BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
  ...(unzstd === undefined ? {} : { ZSTD: (bytes: Uint8Array) => unzstd(bytes) }),
};

/** The decompressors by the names of the codecs. */
export function decompressors(): Compressors {
  return { ...compressors, ...NATIVE };
}

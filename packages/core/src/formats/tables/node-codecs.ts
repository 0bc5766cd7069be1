/** What the readers of tables need of Node: snappy, gzip, brotli, zstd and lz4, checksums and UTF-8. */

import * as zlib from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { TableCodecs } from './types.ts';

/** As in Node 22.15 and later. */
type Unzstd = (bytes: Uint8Array) => Buffer;

const unzstd = (zlib as { zstdDecompressSync?: Unzstd }).zstdDecompressSync;

/** Node's own libraries are several times faster than those in JavaScript. */
const NATIVE: Compressors = {
  GZIP: (bytes) => zlib.gunzipSync(bytes),
  BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
  ...(unzstd === undefined ? {} : { ZSTD: (bytes: Uint8Array) => unzstd(bytes) }),
};

/** The codecs of Node. */
export const NODE_CODECS: TableCodecs = {
  compressors: { ...compressors, ...NATIVE },
  crc32: (bytes) => zlib.crc32(bytes),
  decodeText: ({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length).toString(),
};

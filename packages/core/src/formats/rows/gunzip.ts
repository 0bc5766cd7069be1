/** Decompresses gzip as a stream, for `.gz` files and request bodies with `Content-Encoding: gzip`. */

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';

/**
 * The decompressed bytes, of all members if there are several. Respects backpressure. The caller must limit
 * the size of the output. Errors of the source pass through.
 * @throws {CorruptError} `corrupt-gzip` if the input is not gzip, is truncated or fails its checksum
 */
export async function* gunzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip();
  // The callback ignores errors: the loop below receives the same error through the stream.
  pipeline(Readable.from(bytes, { objectMode: false }), unpacked, () => {});
  try {
    yield* unpacked;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('Z_')) throw error;
    const problem = code === 'Z_BUF_ERROR' ? 'unexpected end of input' : String((error as Error).message);
    throw new CorruptError(
      'corrupt-gzip',
      `the gzip input cannot be decompressed (${problem}); expected a complete gzip file`,
      { cause: error },
    );
  }
}

/** Unpacks gzip as a stream, for inputs ending in `.gz` and request bodies with `Content-Encoding: gzip`. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';

/**
 * The unpacked bytes, of all members if there are several. Keeps the source's pace; how much a small input may unpack
 * to is the caller's to limit. Throws `corrupt-gzip` when the input is not gzip, is cut short or fails its checksum;
 * what the source throws passes through.
 */
export async function* gunzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip();
  // The callback leaves errors to the loop below, which the same error reaches through the stream.
  pipeline(Readable.from(bytes, { objectMode: false }), unpacked, () => {});
  try {
    yield* unpacked;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('Z_')) throw error;
    const problem = code === 'Z_BUF_ERROR' ? 'it ends too early' : String((error as Error).message);
    throw new CorruptError(
      'corrupt-gzip',
      `The gzip input cannot be unpacked: ${problem}. Expected a complete gzip file.`,
      {
        cause: error,
      },
    );
  }
}

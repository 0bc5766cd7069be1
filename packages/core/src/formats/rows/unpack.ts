/** Unpacks compressed inputs as streams: gzip, zstd, bzip2 and xz (docs/decisions/0131-libraries-that-unpack-and-decode-inputs.md). */

import { CorruptError } from '@embedmill/contract';
import { gunzip } from './gunzip.ts';
import { unpackZstd } from './zstd.ts';

/** How an input is packed. */
export type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/**
 * The unpacked bytes, of all members if there are several; checksums are verified. Respects backpressure.
 * Errors of the source pass through.
 * @throws {CorruptError} `corrupt-gzip`, `corrupt-zstd` … if the input is damaged or ends early
 */
export function unpack(bytes: AsyncIterable<Uint8Array>, packing: Packing): AsyncIterable<Uint8Array> {
  switch (packing) {
    case 'gzip':
      return gunzip(bytes);
    case 'zstd':
      return unpackZstd(bytes);
    case 'bzip2':
      return unpackBzip2(bytes);
    case 'xz':
      return unpackXz(bytes);
    default:
      return bytes;
  }
}

async function* unpackBzip2(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { unpackBlocks } = await import('./bzip2.ts');
  const source = new WatchedSource(bytes);
  try {
    yield* unpackBlocks(source.read());
  } catch (error) {
    throw source.error ?? corrupt('bzip2', error);
  }
}

async function* unpackXz(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: xz } = await import('xz-decompress');
  const source = new WatchedSource(bytes);
  try {
    yield* new xz.XzReadableStream(ReadableStream.from(source.read()));
  } catch (error) {
    throw source.error ?? corrupt('xz', error);
  }
}

/** A source that keeps its error, to tell it from those of a library. */
class WatchedSource {
  readonly #bytes: AsyncIterable<Uint8Array>;
  error: unknown;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#bytes;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

/** What the messages of the libraries mean: they read on past the end, or quote a code of XZ Embedded. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/^Cannot read properties of undefined|error code 8$/, 'unexpected end of input'],
  [/error code 7$|crc32 do not match/, 'damaged data'],
];

function corrupt(packing: Packing, error: unknown): CorruptError {
  const message = error instanceof Error ? error.message : String(error);
  const problem = CAUSES.find(([known]) => known.test(message))?.[1] ?? message;
  return new CorruptError(
    `corrupt-${packing}`,
    `the ${packing} input cannot be unpacked (${problem}); expected a complete ${packing} file`,
    { cause: error },
  );
}

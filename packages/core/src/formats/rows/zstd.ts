/**
 * Unpacks zstd (RFC 8878) as a stream, frame by frame, and verifies the checksums.
 *
 * fzstd unpacks, but reads past the checksum of a frame: a damaged file would give other texts without an
 * error. This reader finds the frames and their blocks by their headers, and hashes what comes out.
 */

import { CorruptError } from '@embedmill/contract';
import { Decompress } from 'fzstd';
import xxhash from 'xxhash-wasm';

const FRAME_MAGIC = 0xfd2fb528;
/** The last four bits of the magic number of a skippable frame are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Bytes of the dictionary id and of the content size, by their flags in the frame header. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const SIZE_BYTES = [0, 2, 4, 8] as const;

/** Type of a block that repeats one byte. */
const REPEATED = 1;

/**
 * The unpacked bytes of all frames. Respects backpressure; holds one block and the window of the frame.
 * @throws {CorruptError} `corrupt-zstd` if the input is damaged or ends early
 */
export async function* unpackZstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { create64 } = await xxhash();
  const input = new ByteReader(bytes);
  try {
    for (let magic = await input.takeIfAny(4); magic !== null; magic = await input.takeIfAny(4)) {
      const number = magic.readUInt32LE();
      if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
        await input.skip((await input.take(4)).readUInt32LE());
      } else if (number === FRAME_MAGIC) {
        yield* unpackFrame(magic, input, create64());
      } else throw corrupt(`unknown frame 0x${number.toString(16)}`);
    }
  } finally {
    await input.close();
  }
}

async function* unpackFrame(
  magic: Buffer,
  input: ByteReader,
  hash: { update(bytes: Uint8Array): unknown; digest(): bigint },
): AsyncGenerator<Uint8Array> {
  let blocks: Uint8Array[] = [];
  const decoder = new Decompress((block) => blocks.push(block));
  const push = (bytes: Buffer, isLast = false): Uint8Array[] => {
    blocks = [];
    try {
      decoder.push(bytes, isLast);
    } catch (error) {
      throw corrupt(error instanceof Error ? error.message : String(error), error);
    }
    for (const block of blocks) hash.update(block);
    return blocks;
  };
  const descriptor = await input.take(1);
  const flags = descriptor.readUInt8();
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeBytes = SIZE_BYTES[flags >> 6] || (isSingleSegment ? 1 : 0);
  const rest = (isSingleSegment ? 0 : 1) + (DICTIONARY_BYTES[flags & 3] ?? 0) + sizeBytes;
  yield* push(Buffer.concat([magic, descriptor, await input.take(rest)]));
  for (let isLast = false; !isLast; ) {
    const header = await input.take(3);
    const bits = header.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    const bytes = ((bits >> 1) & 3) === REPEATED ? 1 : bits >> 3;
    yield* push(Buffer.concat([header, await input.take(bytes)]));
  }
  const checksum = await input.take((flags & 4) === 0 ? 0 : 4);
  yield* push(checksum, true);
  if (checksum.length > 0 && checksum.readUInt32LE() !== Number(hash.digest() & 0xffffffffn)) {
    throw corrupt('wrong checksum');
  }
}

/** Takes exact numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next bytes. @throws {CorruptError} if the input ends before */
  async take(count: number): Promise<Buffer> {
    while (this.#held.length < count) await this.#more();
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  /** As `take`, but `null` at the end of the input. */
  async takeIfAny(count: number): Promise<Buffer | null> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return null;
      this.#held = asBuffer(next.value);
    }
    return this.take(count);
  }

  async skip(count: number): Promise<void> {
    let left = count;
    while (left > this.#held.length) {
      left -= this.#held.length;
      this.#held = Buffer.alloc(0);
      await this.#more();
    }
    this.#held = this.#held.subarray(left);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw corrupt('unexpected end of input');
    const chunk = asBuffer(next.value);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function corrupt(problem: string, cause?: unknown): CorruptError {
  return new CorruptError(
    'corrupt-zstd',
    `the zstd input cannot be unpacked (${problem}); expected a complete zstd file`,
    { cause },
  );
}

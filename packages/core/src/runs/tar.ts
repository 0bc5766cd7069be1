/** Tar files (POSIX ustar) of regular files only, written and read as streams; for exports of runs. */

import { CorruptError, quote } from '@embedmill/contract';

/** Headers and contents are padded to whole blocks; two blocks of zeros end the file. */
const BLOCK_BYTES = 512;
const END_BYTES = 2 * BLOCK_BYTES;
const MAX_NAME_BYTES = 100;
/** Largest size that 11 octal digits state; larger ones are binary, as GNU tar writes them. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/** Fields of a header: offset and length in bytes. */
const FIELD = { mode: [100, 8], uid: [108, 8], gid: [116, 8], size: [124, 12], mtime: [136, 12] } as const;
const CHECKSUM_AT = 148;
const TYPE_AT = 156;
const MAGIC_AT = 257;
const PREFIX_AT = 345;
const REGULAR_FILE = 0x30;

/** A file to be written. */
export interface TarFile {
  /** ASCII, at most 100 characters. */
  name: string;
  bytes: number;
  /** Exactly `bytes` bytes. */
  content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Size of a tar file of files with these sizes. */
export function tarBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, bytes) => sum + BLOCK_BYTES + bytes + padding(bytes), END_BYTES);
}

/** Writes a tar file. @throws {Error} when a content has another size than stated */
export async function* writeTar(
  files: Iterable<TarFile> | AsyncIterable<TarFile>,
): AsyncGenerator<Uint8Array> {
  for await (const { name, bytes, content } of files) {
    yield headerOf(name, bytes);
    let left = bytes;
    for await (const chunk of content()) {
      left -= chunk.byteLength;
      yield chunk;
    }
    if (left !== 0) throw new Error(`${name} has ${bytes - left} bytes, expected ${bytes}`);
    if (padding(bytes) > 0) yield Buffer.alloc(padding(bytes));
  }
  yield Buffer.alloc(END_BYTES);
}

/** A file that is read. */
export interface TarEntry {
  name: string;
  bytes: number;
  /** Must be read to its end before the next entry. */
  content: AsyncIterable<Uint8Array>;
}

/**
 * Reads a tar file; memory is bounded by a chunk of the source.
 * @throws {CorruptError} `corrupt-tar` for anything that `writeTar` does not write, and for a file without an end
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new BlockReader(source);
  try {
    for (;;) {
      const header = await input.block();
      if (header.every((byte) => byte === 0)) break;
      const { name, bytes } = parseHeader(header);
      let isRead = false;
      async function* content(): AsyncGenerator<Uint8Array> {
        yield* input.read(bytes);
        for await (const _ of input.read(padding(bytes)));
        isRead = true;
      }
      yield { name, bytes, content: content() };
      if (!isRead) throw new Error(`the content of ${name} was not read`);
    }
    // Some programs pad the end.
    await input.drain();
  } finally {
    await input.close();
  }
}

class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async block(): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.read(BLOCK_BYTES)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async *read(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      while (this.#chunk.byteLength === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true) throw corrupt('it ends too early; it was not copied or sent as a whole');
        this.#chunk = value;
      }
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }

  async drain(): Promise<void> {
    while ((await this.#chunks.next()).done !== true);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

function headerOf(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  if (header.write(name, 'latin1') > MAX_NAME_BYTES) throw new Error(`${name} is too long for a tar file`);
  writeOctal(header, FIELD.mode, 0o600);
  writeOctal(header, FIELD.uid, 0);
  writeOctal(header, FIELD.gid, 0);
  if (bytes <= MAX_OCTAL_SIZE) writeOctal(header, FIELD.size, bytes);
  else {
    header[FIELD.size[0]] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), FIELD.size[0] + 4);
  }
  // Fixed, so that two exports of a run are the same bytes.
  writeOctal(header, FIELD.mtime, 0);
  header[TYPE_AT] = REGULAR_FILE;
  header.write('ustar\u000000', MAGIC_AT, 'latin1');
  header.write(`${octal(checksumOf(header), 6)}\u0000 `, CHECKSUM_AT, 'latin1');
  return header;
}

function parseHeader(header: Buffer): { name: string; bytes: number } {
  const isTar = header.toString('latin1', MAGIC_AT, MAGIC_AT + 5) === 'ustar';
  const checksum = Number.parseInt(header.toString('latin1', CHECKSUM_AT, CHECKSUM_AT + 8), 8);
  if (!isTar || checksum !== checksumOf(header)) throw corrupt('a header of the tar file is damaged');
  const end = header.indexOf(0);
  const name = header.toString('latin1', 0, Math.min(end < 0 ? MAX_NAME_BYTES : end, MAX_NAME_BYTES));
  if (header[TYPE_AT] !== REGULAR_FILE || header[PREFIX_AT] !== 0)
    throw corrupt(`its entry ${quote(name, 100)} is not a regular file with a short name`);
  const [at, length] = FIELD.size;
  const bytes =
    header[at] === 0x80
      ? Number(header.readBigUInt64BE(at + 4))
      : Number.parseInt(header.toString('latin1', at, at + length), 8);
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw corrupt(`the size of its entry ${quote(name, 100)} is not a number`);
  return { name, bytes };
}

/** Sum of all bytes, with spaces in the place of the checksum. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += byte;
  return sum;
}

function writeOctal(header: Buffer, [at, length]: readonly [number, number], value: number): void {
  header.write(octal(value, length - 1), at, 'latin1');
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function corrupt(why: string): CorruptError {
  return new CorruptError('corrupt-tar', why);
}

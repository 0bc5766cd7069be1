/** A file of blocks, each a value as V8 serializes it, after its length; it can be read while it is written. */

import { type FileHandle, open } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';
import { ChangeSignal } from '../change-signal.ts';

/** Bytes of the length before each block. */
const LENGTH_BYTES = 4;

/** Fast, and a third of the size for most tables. */
const PACKING = { level: 1 };

const NEVER = new AbortController().signal;

/** Written once, from the start; read any number of times. */
export class BlockFile<Block> {
  readonly #path: string;
  readonly #changes = new ChangeSignal();
  #file: FileHandle | null = null;
  #written = 0;
  #isComplete = false;

  /** @param path replaced if it exists */
  constructor(path: string) {
    this.#path = path;
  }

  /** Opens the file for writing. */
  async create(): Promise<void> {
    this.#written = 0;
    this.#isComplete = false;
    this.#file = await open(this.#path, 'w', 0o600);
  }

  async write(block: Block): Promise<void> {
    if (this.#file === null) throw new Error('internal error: a spool is written before it is created');
    const packed = deflateRawSync(serialize(block), PACKING);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(packed.length);
    await this.#file.writeFile(Buffer.concat([length, packed]));
    this.#written += 1;
    this.#changes.notify();
  }

  /** Ends the writing, and with it the reading. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#isComplete = true;
    this.#changes.notify();
  }

  /**
   * The blocks in order; waits for those that are still to be written.
   * @throws {CorruptError} `truncated-file`
   */
  async *read(signal: AbortSignal = NEVER): AsyncGenerator<Block> {
    const hasBlock = async (read: number) => {
      while (read >= this.#written && !this.#isComplete) await this.#changes.wait(signal);
      return read < this.#written;
    };
    if (!(await hasBlock(0))) return;
    const file = await open(this.#path, 'r');
    try {
      for (let read = 0; await hasBlock(read); read++) {
        const length = await readBytes(file, LENGTH_BYTES);
        yield deserialize(inflateRawSync(await readBytes(file, length.readUInt32LE())));
      }
    } finally {
      await file.close();
    }
  }
}

/** The next bytes of a file. */
async function readBytes(file: FileHandle, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(count);
  for (let at = 0; at < count; ) {
    const { bytesRead } = await file.read(bytes, at, count - at);
    if (bytesRead === 0) throw new CorruptError('truncated-file', 'a spool in the work folder ends early');
    at += bytesRead;
  }
  return bytes;
}

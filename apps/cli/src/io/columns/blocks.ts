/** A file of blocks, each a value as V8 serializes it, after its length. */

import { type FileHandle, open } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';

/** Bytes of the length before each block. */
const LENGTH_BYTES = 4;

/** Fast, and a third of the size for most tables. */
const PACKING = { level: 1 };

/** A file of blocks that is being written. */
export interface BlockWriter<Block> {
  write(block: Block): Promise<void>;
  close(): Promise<void>;
}

/** Creates a file of blocks, or replaces it. */
export async function writeBlocks<Block>(path: string): Promise<BlockWriter<Block>> {
  const file = await open(path, 'w', 0o600);
  return {
    async write(block) {
      const packed = deflateRawSync(serialize(block), PACKING);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(packed.length);
      await file.writeFile(Buffer.concat([length, packed]));
    },
    close: () => file.close(),
  };
}

/** The blocks of a file in order. @throws {CorruptError} `truncated-file` */
export async function* readBlocks<Block>(path: string): AsyncGenerator<Block> {
  const file = await open(path, 'r');
  try {
    for (let length = await readBytes(file, LENGTH_BYTES); length !== null; ) {
      const packed = await readBytes(file, length.readUInt32LE());
      if (packed === null) throw truncated();
      yield deserialize(inflateRawSync(packed));
      length = await readBytes(file, LENGTH_BYTES);
    }
  } finally {
    await file.close();
  }
}

/** The next bytes of a file; `null` at its end. */
async function readBytes(file: FileHandle, count: number): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafe(count);
  for (let at = 0; at < count; ) {
    const { bytesRead } = await file.read(bytes, at, count - at);
    if (bytesRead === 0 && at === 0) return null;
    if (bytesRead === 0) throw truncated();
    at += bytesRead;
  }
  return bytes;
}

function truncated(): CorruptError {
  return new CorruptError('truncated-file', 'a spool in the work folder ends early');
}

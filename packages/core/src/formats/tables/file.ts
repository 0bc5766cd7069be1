/** Random access to files, and to bytes that are only available as a stream. */

import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CorruptError } from '@embedmill/contract';
import type { RandomBytes } from './types.ts';

/** An opened file. */
export interface FileBytes extends RandomBytes {
  close(): Promise<void>;
}

/** Opens a file for random access. */
export async function openFileBytes(path: string): Promise<FileBytes> {
  return bytesOfFile(await open(path, 'r'));
}

/**
 * Copies bytes into a temporary file without a name: it is gone once it is closed or the process ends.
 */
export async function copyToFile(bytes: AsyncIterable<Uint8Array>): Promise<FileBytes> {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-'));
  const file = await open(join(folder, 'table'), 'w+', 0o600);
  try {
    await rm(folder, { recursive: true });
    for await (const chunk of bytes) await file.writeFile(chunk);
    return await bytesOfFile(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function bytesOfFile(file: FileHandle): Promise<FileBytes> {
  const { size } = await file.stat();
  return {
    byteLength: size,
    async read(start, end) {
      const bytes = Buffer.allocUnsafeSlow(end - start);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0)
          throw new CorruptError('truncated-file', 'the file became shorter while it was read');
        at += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

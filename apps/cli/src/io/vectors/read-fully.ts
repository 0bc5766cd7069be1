/** Reads a range of a vector file. */

import type { FileHandle } from 'node:fs/promises';
import { UsageError } from '../../shell/exit-codes.ts';

/** Fills `bytes` from `position` on. @throws {UsageError} if the file ends before */
export async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) throw new UsageError('the file was truncated while it was read');
    at += bytesRead;
  }
}

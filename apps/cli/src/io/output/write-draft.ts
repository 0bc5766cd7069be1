/** Writes a file under a temporary name, checks it and flushes it to disk. */

import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CorruptError } from '@embedmill/contract';
import { type ExpectedFile, fileProblem, type WrittenFile } from './check-file.ts';
import type { OutputDraft } from './types.ts';

/** Bytes that are written before the disk is told to store them, so that the last flush is short. */
const FLUSH_BYTES = 32 * 1024 * 1024;

const LINE_FEED = 0x0a;

/** What a draft is. The number of rows may be known only when all bytes are written. */
export interface DraftOptions extends Omit<ExpectedFile, 'rows'> {
  /** Called after the last chunk. */
  rows: () => number;
  /** Replaces the first bytes: a header with the number of rows. Default: they stay. */
  head?: ((rows: number) => Uint8Array) | undefined;
}

/** The temporary path of a file, in the same folder. */
export function draftPathOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.embedmill`);
}

/**
 * Writes a draft beside `path`. When the promise resolves, its bytes survive a power failure.
 * @throws {CorruptError} `wrong-output` unless it is a file of the expected format and number of rows
 */
export async function writeDraft(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { rows, head, ...type }: DraftOptions,
): Promise<OutputDraft> {
  const draftPath = draftPathOf(path);
  await mkdir(dirname(path), { recursive: true });
  try {
    // Opened first: a stream that opens its file itself may create it after the removal below.
    const file = await open(draftPath, 'w');
    try {
      const written = await writeChunks(file, chunks, type.format === 'jsonl');
      const expected = { ...type, rows: rows() };
      if (head !== undefined) await writeAll(file, head(expected.rows), 0);
      const problem = await fileProblem(draftPath, expected, written);
      if (problem !== null) {
        throw new CorruptError(
          'wrong-output',
          `the producer sent an invalid ${expected.format} file: ${problem}`,
        );
      }
      await file.sync();
      return { path, draftPath, bytes: written.bytes };
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(draftPath, { force: true });
    throw error;
  }
}

async function writeChunks(
  file: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
  countsLines: boolean,
): Promise<WrittenFile> {
  let lines = 0;
  let bytes = 0;
  let flushed = 0;
  let flushing: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      if (countsLines) lines += countLines(chunk);
      await writeAll(file, chunk, bytes);
      bytes += chunk.byteLength;
      if (bytes - flushed < FLUSH_BYTES) continue;
      flushed = bytes;
      await flushing;
      flushing = file.datasync();
      // Thrown by the next flush or at the end.
      flushing.catch(() => {});
    }
  } finally {
    await flushing;
  }
  return { bytes, lines };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written);
    written += bytesWritten;
  }
}

function countLines(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

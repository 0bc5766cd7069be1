/** Puts bytes on the disk under a temporary name and checks them. */

import { createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CorruptError } from '@embedmill/contract';
import { type ExpectedFile, fileProblem } from './check-file.ts';

/** A file that is complete, but not under its name yet. */
export interface Draft {
  path: string;
  draftPath: string;
  bytes: number;
}

/**
 * Writes a file beside `path`; when it resolves, the bytes survive a power cut.
 * @throws {CorruptError} `wrong-output` when it is not a file of this format with `rows` rows
 */
export async function writeDraft(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  expected: ExpectedFile,
): Promise<Draft> {
  const draftPath = join(dirname(path), `.${basename(path)}.embedmill`);
  await mkdir(dirname(path), { recursive: true });
  try {
    await pipeline(chunks, createWriteStream(draftPath));
    const problem = await fileProblem(draftPath, expected);
    if (problem !== null) {
      throw new CorruptError(
        'wrong-output',
        `the producer sent a ${expected.format} file that is wrong: ${problem}`,
      );
    }
    const file = await open(draftPath, 'r+');
    try {
      await file.sync();
      return { path, draftPath, bytes: (await file.stat()).size };
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(draftPath, { force: true });
    throw error;
  }
}

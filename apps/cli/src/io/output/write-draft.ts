/** Writes a file under a temporary name, checks it and flushes it to disk. */

import { mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CorruptError } from '@embedmill/contract';
import { type ExpectedFile, fileProblem } from './check-file.ts';
import type { OutputDraft } from './types.ts';

/**
 * Writes a draft beside `path`. When the promise resolves, its bytes survive a power failure.
 * @throws {CorruptError} `wrong-output` unless it is a file of the expected format and number of rows
 */
export async function writeDraft(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  expected: ExpectedFile,
): Promise<OutputDraft> {
  const draftPath = join(dirname(path), `.${basename(path)}.embedmill`);
  await mkdir(dirname(path), { recursive: true });
  try {
    // Opened first: a stream that opens its file itself may create it after the removal below.
    const draft = await open(draftPath, 'w');
    await pipeline(chunks, draft.createWriteStream());
    const problem = await fileProblem(draftPath, expected);
    if (problem !== null) {
      throw new CorruptError(
        'wrong-output',
        `the producer sent an invalid ${expected.format} file: ${problem}`,
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

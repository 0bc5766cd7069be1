/** Writes a file that appears once it is complete. */

import { rename, rm } from 'node:fs/promises';
import { draftPathOf } from './write-draft.ts';

/**
 * Replaces a file by what is written under a temporary name; after a failure, nothing is left of that.
 * @param write writes the file at the path that it gets
 */
export async function replaceFile(path: string, write: (draftPath: string) => Promise<void>): Promise<void> {
  const draft = draftPathOf(path);
  try {
    await write(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

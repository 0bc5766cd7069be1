/** Removes what a step that failed has begun, so that a refused request leaves nothing on disk. */

import { rm } from 'node:fs/promises';
import type { AppendedFileDeps } from './appended-file.ts';

/** Removes files and folders if this process may write; what cannot be removed now is removed by the next start. */
export async function removeLeftovers(
  paths: readonly string[],
  { assertWritable }: AppendedFileDeps,
): Promise<void> {
  try {
    assertWritable();
    for (const path of paths) await rm(path, { recursive: true, force: true });
  } catch {
    // The fault of the step itself is reported.
  }
}

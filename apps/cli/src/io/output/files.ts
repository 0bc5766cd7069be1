/** Outputs that are files in one folder. */

import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@embedmill/core/process';
import type { Destination } from './types.ts';

/** A destination that renames drafts in place. */
export function toFiles(outputPath: string): Destination {
  return {
    exists: async () => existsSync(outputPath),
    async publish(drafts, stale) {
      for (const path of stale) await rm(path, { force: true });
      for (const { path, draftPath } of drafts) {
        // Absent if a killed command published it.
        if (!existsSync(draftPath) && existsSync(path)) continue;
        await rename(draftPath, path);
        await syncFolder(dirname(path));
      }
    },
    nameOf: (path) => path,
  };
}

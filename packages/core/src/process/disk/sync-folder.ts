/** Makes new file names durable: fsync of a folder, after files were created or renamed in it. */

import { open } from 'node:fs/promises';

/** Errors of file systems without fsync for folders (Windows, some network mounts); these are ignored. */
const UNSUPPORTED = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EPERM']);

/** Flushes the entries of a folder to disk; the fsync of a file covers its content but not its name. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!UNSUPPORTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Makes new names in a folder survive a power cut; called after files or folders were made or renamed in it. */

import { open } from 'node:fs/promises';

/** What file systems answer that cannot do it for folders (Windows, some network mounts): there is nothing more to be done then. */
const NOT_POSSIBLE = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EPERM']);

/** An fsync of the folder itself: that of a file keeps its bytes, not its name. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NOT_POSSIBLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Creates a file that must not exist yet, such as a lock. */

import { randomBytes } from 'node:crypto';
import { link, rm, writeFile } from 'node:fs/promises';

/** Errors of file systems without hard links (exFAT, some network mounts and containers). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Creates a file with its content, readable by its owner only. Where the file system has hard links, it appears
 * with its content; elsewhere, a reader may find it empty for a moment, or for good after a crash.
 * @returns false if the file exists
 */
export async function createExclusive(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, content, { mode: 0o600 });
  try {
    await link(draft, path).catch(async (thrown: NodeJS.ErrnoException) => {
      if (!NO_HARD_LINKS.has(thrown.code ?? '')) throw thrown;
      await writeFile(path, content, { mode: 0o600, flag: 'wx' });
    });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Renames a finished shard without ever replacing another file; called by `writeShard`.
 * Decision: docs/decisions/0001.
 */

import { access, link, open, rename, rm } from 'node:fs/promises';

/** Errors of file systems without hard links (exFAT, some network mounts and containers). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Suffix of the file that claims the name of a shard. */
export const CLAIM = '.claim';

/**
 * Gives the temporary file its final name. Unlike a rename, a hard link does not replace an existing file. On
 * file systems without hard links, a claim (an empty file, created exclusively) decides who may rename: a
 * process that finds the claim or, holding the claim, the name in use fails.
 * @throws with code `EEXIST` when the name is in use
 */
export async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_HARD_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await claimAndRename(temporary, path);
  }
}

async function claimAndRename(temporary: string, path: string): Promise<void> {
  const claim = `${path}${CLAIM}`;
  await (await open(claim, 'wx', 0o600)).close();
  try {
    if (await exists(path)) throw Object.assign(new Error(`${path} already exists`), { code: 'EEXIST' });
    await rename(temporary, path);
  } finally {
    await rm(claim, { force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Gives a finished shard its name without ever replacing another file; `writeShard` calls it. */

import { access, link, open, rename, rm } from 'node:fs/promises';

/** What file systems without hard links answer (exFAT, some network mounts and containers). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Ends the name of a claim on a shard's name. */
export const CLAIM = '.claim';

/**
 * Unlike a rename, a hard link does not replace what has the name already. Without hard links a claim, an empty file that is
 * made only if nobody else has made it, decides who may rename: whoever finds the claim taken, or the name in use after it
 * has the claim, fails.
 * @throws with the code `EEXIST` when the name is taken
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
    if (await exists(path)) throw Object.assign(new Error(`${path} is there already`), { code: 'EEXIST' });
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

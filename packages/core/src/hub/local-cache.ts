/**
 * Reads the cache that other tools for the hub keep: `models--OWNER--NAME/refs/REVISION` holds a commit,
 * `snapshots/COMMIT/PATH` are links to `blobs/DIGEST`. It is never written.
 */

import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { ModelName } from '@embedmill/contract';
import type { Repository, RepositoryFile } from './repository.ts';

const COMMIT = /^[0-9a-f]{40}$/;
const DIGEST = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/;

const modelRoot = (cacheFolder: string, repository: string) =>
  join(cacheFolder, `models--${repository.replace('/', '--')}`);

/** The model at a revision as far as it is cached; `null` if it is not. Files without a known digest are left out. */
export async function cachedRepository(
  cacheFolder: string,
  { repository, revision }: ModelName,
): Promise<Repository | null> {
  const root = modelRoot(cacheFolder, repository);
  const at = revision ?? 'main';
  const stated = await readFile(join(root, 'refs', ...at.split('/')), 'utf8').catch(() => at);
  const commit = stated.trim();
  if (!COMMIT.test(commit)) return null;
  const snapshot = join(root, 'snapshots', commit);
  const entries = await readdir(snapshot, { recursive: true }).catch(() => null);
  if (entries === null) return null;
  const files: RepositoryFile[] = [];
  for (const entry of entries) {
    const path = join(snapshot, entry);
    const digest = basename(await realpath(path).catch(() => ''));
    const found = await stat(path).catch(() => null);
    if (!found?.isFile() || !DIGEST.test(digest)) continue;
    files.push({ path: entry.replaceAll(sep, '/'), bytes: found.size, digest });
  }
  return { commit, files };
}

/** Where the cache would hold the bytes of a file: by its digest. */
export function cachedBlob(cacheFolder: string, repository: string, digest: string): string {
  return join(modelRoot(cacheFolder, repository), 'blobs', digest);
}

/** Checks files against the digests that a hub lists. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Whether a file has a digest: SHA-256 (64 characters), or the SHA-1 of a git blob (40). False if it is missing. */
export async function hasDigest(path: string, digest: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return false;
  return (await digestOf(path, found.size, digest.length)) === digest;
}

async function digestOf(path: string, bytes: number, characters: number): Promise<string> {
  const hash = createHash(characters === 64 ? 'sha256' : 'sha1');
  if (characters === 40) hash.update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}

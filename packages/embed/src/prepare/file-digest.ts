/** The SHA-256 of files, of large ones once per content: they are kept in the cache folder. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readEntry, writeEntry } from './small-cache.ts';

/** Returns the SHA-256 of a file in hexadecimal. */
export async function fileDigest(path: string | URL): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** A file that changed this recently may change again without another time: clocks of file systems have steps. */
const SETTLED_MS = 3_000;

/**
 * Returns `fileDigest` of a file, from the cache if the file is the same: its path, device, inode, size, and the times of its
 * last change. No program can set the latter of these times (`ctime`), so that a file with other content and an old date is
 * noticed.
 */
export async function cachedDigest(path: string, cacheDir: string): Promise<string> {
  const name = `digest-${createHash('sha256').update(resolve(path)).digest('hex').slice(0, 32)}`;
  const before = await identityOf(path);
  const known = parseEntry(await readEntry(cacheDir, name));
  if (known !== undefined && known.identity === before.text) return known.sha256;
  const sha256 = await fileDigest(path);
  const after = await identityOf(path);
  // After a clock jump, the age may be negative: the file then counts as new until it is older.
  const ageMs = Date.now() - after.changedAtMs;
  if (after.text === before.text && ageMs > SETTLED_MS)
    await writeEntry(cacheDir, name, Buffer.from(JSON.stringify({ identity: after.text, sha256 })));
  return sha256;
}

async function identityOf(path: string): Promise<{ text: string; changedAtMs: number }> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return {
    text: [resolve(path), dev, ino, size, mtimeNs, ctimeNs].join(' '),
    changedAtMs: Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n),
  };
}

function parseEntry(content: Buffer | undefined): { identity: string; sha256: string } | undefined {
  try {
    return content === undefined ? undefined : JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

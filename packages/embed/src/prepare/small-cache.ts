/**
 * A cache of small results that are quick to compute again: an entry that cannot be read, is damaged or cannot be written
 * counts as missing. Compiled models are in `cache.ts`.
 *
 * An entry is one file: the content and its CRC-32. It appears by a rename, so that several processes may write at the same
 * time. The folder keeps the latest `MAX_FILES` files.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Subfolder of the cache folder. */
const FOLDER = 'small';

/** Maximum files in the folder, leftovers of killed processes included. */
const MAX_FILES = 64;

const CHECKSUM_BYTES = 4;

/** Returns the content of an entry; undefined if there is none that can be used. */
export async function readEntry(cacheDir: string, name: string): Promise<Buffer | undefined> {
  try {
    const file = await readFile(join(cacheDir, FOLDER, name));
    const content = file.subarray(0, file.length - CHECKSUM_BYTES);
    return crc32(content) === file.readUInt32LE(content.length) ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Writes or replaces an entry, if the folder can be written. Never throws. */
export async function writeEntry(cacheDir: string, name: string, content: Uint8Array): Promise<void> {
  const folder = join(cacheDir, FOLDER);
  const draft = join(folder, `${name}.${randomUUID()}.tmp`);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(content));
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, Buffer.concat([content, checksum]), { flag: 'wx' });
    await rename(draft, join(folder, name));
    await removeOldest(folder);
  } catch {
    await rm(draft, { force: true }).catch(() => {});
  }
}

async function removeOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= MAX_FILES) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, mtimeMs: (await stat(join(folder, name))).mtimeMs })),
  );
  files.sort((a, b) => a.mtimeMs - b.mtimeMs);
  for (const { name } of files.slice(0, -MAX_FILES)) await rm(join(folder, name), { force: true });
}

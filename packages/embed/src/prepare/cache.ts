/** Cache of compiled models in a folder that several processes may share. */

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { EmbedError } from '../errors.ts';

/** Checksum file beside a cached file, which detects truncation and damage. */
interface Seal {
  bytes: number;
  crc32: number;
}

/**
 * Returns the path of a cached file and builds it if it is missing or damaged. Builds are deterministic: if
 * two processes build at the same time, the last rename wins, and both files are correct.
 *
 * @throws {EmbedError} `CACHE_UNWRITABLE`, or whatever `build` throws
 */
export async function cachedFile(
  folder: string,
  fileName: string,
  build: () => Promise<Uint8Array>,
): Promise<string> {
  const path = join(folder, fileName);
  const sealPath = `${path}.json`;
  if (await isIntact(path, sealPath)) return path;
  const content = await build();
  const seal: Seal = { bytes: content.byteLength, crc32: crc32(content) };
  try {
    await mkdir(folder, { recursive: true });
    // The seal first: after a crash in between, the file does not match its seal and is built again.
    await writeAtomically(sealPath, Buffer.from(`${JSON.stringify(seal)}\n`));
    await writeAtomically(path, content);
  } catch (cause) {
    throw new EmbedError('CACHE_UNWRITABLE', `cannot store the compiled model as "${path}"`, { cause });
  }
  return path;
}

async function isIntact(path: string, sealPath: string): Promise<boolean> {
  try {
    const [content, seal] = await Promise.all([readFile(path), readFile(sealPath, 'utf8')]);
    const expected: Seal = JSON.parse(seal);
    return content.byteLength === expected.bytes && crc32(content) === expected.crc32;
  } catch {
    return false;
  }
}

/** Writes a file so that its final name has either no content or all of it, even after a power failure. */
async function writeAtomically(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

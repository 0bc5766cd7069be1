/** Tar files of exports: what other programs read, and what is refused. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTar, type TarFile, tarBytes, writeTar } from '../../../packages/core/src/runs/tar.ts';
import { temporaryFolder } from '../../support/folder.ts';

const file = (name: string, text: string): TarFile => ({
  name,
  bytes: Buffer.byteLength(text),
  content: () => [Buffer.from(text)],
});

const FILES = [file('a.json', '{}'), file('shards/00000000.shard', 'x'.repeat(1500)), file('empty', '')];

async function packed(files: readonly TarFile[] = FILES): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(files)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function unpacked(bytes: Buffer, size = 700): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { name, content } of readTar(inPieces(bytes, size))) {
    let text = '';
    for await (const chunk of content) text += Buffer.from(chunk).toString();
    found.push([name, text]);
  }
  return found;
}

describe('a tar file', () => {
  it('has the stated size, and is read again in chunks of any size', async () => {
    const bytes = await packed();
    expect(bytes.byteLength).toBe(tarBytes(FILES.map((each) => each.bytes)));
    for (const size of [1, 512, 10_000])
      expect(await unpacked(bytes, size)).toEqual([
        ['a.json', '{}'],
        ['shards/00000000.shard', 'x'.repeat(1500)],
        ['empty', ''],
      ]);
  });

  it('is read by tar, and one of tar is read', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ours.tar'), await packed());
    execFileSync('tar', ['-xf', 'ours.tar'], { cwd: folder });
    execFileSync('tar', ['--format=ustar', '-cf', 'theirs.tar', 'a.json', 'empty'], { cwd: folder });
    const theirs = execFileSync('cat', ['theirs.tar'], { cwd: folder });
    expect(await unpacked(theirs)).toEqual([
      ['a.json', '{}'],
      ['empty', ''],
    ]);
  });

  it('states sizes above 8 GB', async () => {
    const bytes = 10 * 1024 ** 3;
    const large = { name: 'large', bytes, content: () => [] };
    const header = (await writeTar([large]).next()).value!;
    const first = await readTar(inPieces(Buffer.from(header), 512)).next();
    expect(first.value).toMatchObject({ name: 'large', bytes });
  });

  it('is refused if it is cut anywhere', async () => {
    const bytes = await packed();
    for (const end of [0, 100, 512, 513, 1024, 2000, bytes.byteLength - 1100])
      await expect(unpacked(bytes.subarray(0, end))).rejects.toMatchObject({ code: 'corrupt-tar' });
  });

  it.each([
    ['a damaged header', (bytes: Buffer) => bytes.fill('b', 0, 1)],
    ['a link', (bytes: Buffer) => resum(bytes.fill('2', 156, 157))],
    ['a long name', (bytes: Buffer) => resum(bytes.fill('p', 345, 346))],
    ['a size that is not a number', (bytes: Buffer) => resum(bytes.fill('z', 124, 135))],
    ['an extended header', (bytes: Buffer) => resum(bytes.fill('x', 156, 157))],
    ['other bytes', (bytes: Buffer) => bytes.fill(7)],
  ])('is refused with %s', async (_what, damage) => {
    await expect(unpacked(damage(await packed()))).rejects.toMatchObject({ code: 'corrupt-tar' });
  });
});

/** States the checksum of the first header again. */
function resum(bytes: Buffer): Buffer {
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

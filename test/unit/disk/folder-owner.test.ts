/** Who may write to a data folder: claims, takeovers and the check before each write. */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FolderOwner } from '../../../packages/core/src/process/disk/folder-owner.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const REDIS_URL = 'redis://user:secret@redis.internal:6379/0';

async function claim(folder: string, onWait?: (message: string) => void): Promise<FolderOwner> {
  const owner = await FolderOwner.claim({
    folder,
    redisUrl: REDIS_URL,
    staleMs: 1000,
    ...(onWait === undefined ? {} : { onWait }),
  });
  onTestFinished(() => owner.release());
  return owner;
}

/** Rewrites the record of the only owner file. */
function editRecord(folder: string, changes: Record<string, unknown>): string {
  const [name] = readdirSync(folder).filter((name) => name.startsWith('owner-'));
  const path = join(folder, name!);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  return path;
}

/** The folder of a process that claimed it and was killed. */
async function abandonedFolder(): Promise<string> {
  const folder = temporaryFolder();
  const child = startNode([
    '--input-type=module',
    '--eval',
    `import { FolderOwner } from '@embedmill/core/process';
     await FolderOwner.claim({ folder: ${JSON.stringify(folder)}, redisUrl: 'redis://other:1' });
     console.log('claimed');
     setInterval(() => {}, 1000);`,
  ]);
  await child.waitFor(/claimed/);
  child.kill('SIGKILL');
  await child.waitForExit();
  return folder;
}

describe('a data folder', () => {
  test('has one owner; the second claim names the first, its Redis and no password', async () => {
    const folder = temporaryFolder();
    const owner = await claim(folder);
    expect(owner.epoch).toBe(1);
    expect(() => owner.assertOwned()).not.toThrow();
    const second = claim(folder);
    await expect(second).rejects.toMatchObject({ code: 'folder-in-use' });
    await expect(second).rejects.toThrow(
      new RegExp(
        `in use by process ${process.pid} on ${hostname()} \\(Redis redis://redis\\.internal:6379/0, since 20`,
      ),
    );
    await expect(second).rejects.not.toThrow(/secret/);
  });

  test('goes to the next claim at once after a release, under a higher epoch', async () => {
    const folder = temporaryFolder();
    const first = await claim(folder);
    await first.release();
    const second = await claim(folder);
    expect(second.epoch).toBe(2);
    expect(() => first.assertOwned()).toThrow(/no longer owns its data folder/);
    expect(readdirSync(folder)).toEqual(['owner-2.json']);
  });

  test('goes to the next claim at once after its owner was killed', async () => {
    const folder = await abandonedFolder();
    const waits: string[] = [];
    expect((await claim(folder, (message) => waits.push(message))).epoch).toBe(2);
    expect(waits).toEqual([]);
  });

  test('that is a copy of an owned folder is free, and the original stays owned', async () => {
    const folder = temporaryFolder();
    const original = await claim(folder);
    const copy = temporaryFolder();
    cpSync(folder, copy, { recursive: true });
    expect((await claim(copy)).epoch).toBe(2);
    expect(() => original.assertOwned()).not.toThrow();
  });

  test('of another machine is refused while its file is renewed, without a wait for the whole period', async () => {
    const folder = temporaryFolder();
    await claim(folder);
    const path = editRecord(folder, { space: 'elsewhere', host: 'node-7' });
    const renewal = setInterval(() => utimesSync(path, new Date(), new Date()), 50);
    onTestFinished(() => clearInterval(renewal));
    await expect(claim(folder)).rejects.toThrow(/in use by process \d+ on node-7/);
  });

  test('of another machine is taken over when its file is not renewed, and says what it waits for', async () => {
    const folder = await abandonedFolder();
    editRecord(folder, { space: 'elsewhere', host: 'node-7' });
    const waits: string[] = [];
    expect((await claim(folder, (message) => waits.push(message))).epoch).toBe(2);
    expect(waits).toEqual([expect.stringContaining('on node-7')]);
  });

  test('is not claimed twice by claims at the same moment', async () => {
    const folder = await abandonedFolder();
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claim(folder)));
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('with a half-written owner file is taken over', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'owner-4.json'), '{"token":"x');
    expect((await claim(folder)).epoch).toBe(5);
  });
});

describe('an owner', () => {
  test('stops writing for good once a later epoch exists', async () => {
    const folder = temporaryFolder();
    const owner = await claim(folder);
    writeFileSync(join(folder, 'owner-2.json'), '{}');
    expect(() => owner.assertOwned()).toThrow(/another producer took it over/);
    rmSync(join(folder, 'owner-2.json'));
    expect(() => owner.assertOwned()).toThrow(/another producer took it over/);
    expect(owner.isLost).toBe(true);
  });

  test('stops writing when the folder was removed, or replaced by an empty one', async () => {
    const folder = temporaryFolder();
    const owner = await claim(folder);
    rmSync(folder, { recursive: true });
    expect(() => owner.assertOwned()).toThrow(/the folder was removed/);
    mkdirSync(folder);
    expect(() => owner.assertOwned()).toThrow(/the folder was removed/);
    await owner.release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** What the producer does to be safe on its disk, whatever the disk can do: `node:fs` is watched or made to refuse. */

/** What the producer does to be safe on its disk, whatever the disk can do: `node:fs` is watched or made to refuse. */

import fs, { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const TEXTS = Array.from({ length: 60 }, (_, i) => `opinion ${i}`);
const SUMMARY = { rows: 1, verdicts: { ok: 1, truncated: 0, empty: 0, failed: 0 }, tokens: 1, lostTokens: 0 };

/** Puts another function in the place of one of `node:fs/promises`, for everybody in this process, until the test ends. */
function replace<Name extends 'link' | 'open'>(name: Name, other: (typeof fs)[Name]): void {
  const original = fs[name];
  fs[name] = other;
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs[name] = original;
    syncBuiltinESMExports();
  });
}

function refuseLinks(code: string): void {
  replace('link', () => Promise.reject(Object.assign(new Error(`${code}: no hard links here`), { code })));
}

/** The folders that were synced from now on. */
function watchSyncs(): string[] {
  const synced: string[] = [];
  const open = fs.open;
  replace('open', async (path, ...rest) => {
    const handle = await open(path, ...rest);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      synced.push(String(path));
    };
    return handle;
  });
  return synced;
}

async function writeShard(folder: string, name: string, bytes: string): Promise<void> {
  const module = pathToFileURL(
    join(import.meta.dirname, '../../packages/core/dist/runs/shards/shard.js'),
  ).href;
  await (await import(module)).writeShard(
    folder,
    name,
    [{ batch: 0, result: Buffer.from(bytes), summary: SUMMARY }],
    { assertWritable: () => {} },
  );
}

describe('a power cut', () => {
  it('takes no run that was confirmed: its files have their names on the disk before that', async () => {
    const dataDir = temporaryFolder();
    const { runs, submit } = await startCollecting(testRedis(), dataDir, { waits: true });
    const synced = watchSyncs();
    const { id } = await submit(TEXTS);
    const draft = join(dataDir, 'runs', `.draft-${id}`);
    expect(synced).toEqual([
      join(draft, 'rows.jsonl'),
      join(draft, 'ledger.journal'),
      draft,
      join(dataDir, 'runs'),
    ]);
    expect(runs.get(id).state).toBe('sealed');
  });
});

describe('a disk without hard links', () => {
  it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('(%s) holds a run as any other does', async (code) => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    refuseLinks(code);
    const { submit, stop, runs } = await startCollecting(redis, dataDir, { shardBytes: 2000 });
    await startHashWorker(redis);
    const { id } = await submit(TEXTS);
    await whenEnded(runs.get(id));
    const bytes = await vectorBytes(runs.get(id));
    await stop();
    const shards = await readdir(join(dataDir, 'runs', id, 'shards'));
    expect(shards.filter((name) => !/^\d{8}\.shard$/.test(name))).toEqual([]);
    const again = await startCollecting(redis, dataDir);
    expect((await vectorBytes(again.runs.get(id))).equals(bytes)).toBe(true);
  });

  it('never has a shard replaced, nor one that another producer is about to write', async () => {
    const folder = temporaryFolder();
    refuseLinks('EPERM');
    await writeShard(folder, '00000000.shard', 'first');
    const first = await readFile(join(folder, '00000000.shard'));
    await expect(writeShard(folder, '00000000.shard', 'other')).rejects.toMatchObject({ code: 'EEXIST' });
    expect((await readFile(join(folder, '00000000.shard'))).equals(first)).toBe(true);
    await writeFile(join(folder, '00000001.shard.claim'), '');
    await expect(writeShard(folder, '00000001.shard', 'other')).rejects.toMatchObject({ code: 'EEXIST' });
    expect((await readdir(folder)).sort()).toEqual(['00000000.shard', '00000001.shard.claim']);
  });

  it('goes on after the claim that a crash left', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    refuseLinks('EPERM');
    const first = await startCollecting(redis, dataDir, { waits: true });
    const { id } = await first.submit(TEXTS);
    await first.stop();
    const shards = join(dataDir, 'runs', id, 'shards');
    await writeFile(join(shards, '00000000.shard.claim'), '');
    const second = await startCollecting(redis, dataDir);
    await startHashWorker(redis);
    await whenEnded(second.runs.get(id));
    await access(join(shards, '00000001.shard'));
    expect(second.runs.get(id).info()).toMatchObject({ state: 'completed', verdicts: { ok: TEXTS.length } });
  });
});

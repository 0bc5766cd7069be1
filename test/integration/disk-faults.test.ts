/** Disks that refuse single operations, and the descriptors of runs: `node:fs` is made to refuse. */

import { readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { FileStore } from '@embedmill/producer';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const TEXTS = Array.from({ length: 40 }, (_, i) => `opinion ${i}`);

/** Makes a function of `node:fs/promises` fail while its path contains a part; returns what ends that. */
function refuse(name: 'rename' | 'rm' | 'readFile', part: string, code: string): () => void {
  const original = fs[name];
  const end = () => {
    fs[name] = original as never;
    syncBuiltinESMExports();
  };
  fs[name] = ((path: string, ...rest: unknown[]) => {
    if (path.includes(part)) return Promise.reject(Object.assign(new Error(`${code}: refused`), { code }));
    return (original as (...given: unknown[]) => unknown)(path, ...rest);
  }) as never;
  syncBuiltinESMExports();
  onTestFinished(end);
  return end;
}

const descriptors = () => readdirSync('/proc/self/fd').length;

describe('a run', () => {
  it('whose file cannot be read now is not failed, and opens by itself when it can be read', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir, { waits: true });
    const { id } = await first.submit(TEXTS);
    const other = await first.submit(TEXTS);
    await first.stop();
    const end = refuse('readFile', join(id, 'ledger.journal'), 'EIO');
    const after = await startCollecting(redis, dataDir);
    expect(after.runs.show(id).info()).toMatchObject({
      state: 'open',
      error: expect.stringContaining('EIO'),
    });
    expect(() => after.runs.get(id)).toThrow(expect.objectContaining({ code: 'disk-unavailable' }));
    await startHashWorker(redis);
    await whenEnded(after.runs.get(other.id));
    end();
    await until(() => after.runs.find(id) !== undefined);
    after.audit();
    await whenEnded(after.runs.get(id));
    expect(after.runs.get(id).state).toBe('completed');
  });

  it.each(['EMFILE', 'EROFS'])(
    'does not fail for %s, which concerns all runs: opening is refused',
    async (code) => {
      const redis = testRedis();
      const dataDir = temporaryFolder();
      const first = await startCollecting(redis, dataDir, { waits: true });
      const { id } = await first.submit(TEXTS);
      await first.stop();
      const end = refuse('readFile', join(id, 'ledger.journal'), code);
      await expect(startCollecting(redis, dataDir)).rejects.toMatchObject({ code });
      end();
      expect((await startCollecting(redis, dataDir)).runs.get(id).state).toBe('sealed');
    },
  );

  it.each<['rename' | 'rm', string]>([
    ['rename', 'before anything is removed'],
    ['rm', 'half-way'],
  ])(
    'whose removal fails in %s, %s, answers with the fault, and is removed by the next attempt',
    async (name) => {
      const redis = testRedis();
      const dataDir = temporaryFolder();
      const { runs, submit } = await startCollecting(redis, dataDir);
      const { id } = await submit(TEXTS);
      const end = refuse(name, id, 'EIO');
      await expect(runs.remove(id)).rejects.toMatchObject({ code: 'EIO' });
      await expect(runs.remove(id)).rejects.toMatchObject({ code: 'EIO' });
      end();
      await runs.remove(id);
      expect(readdirSync(join(dataDir, 'runs'))).toEqual([]);
      await expect(runs.remove(id)).rejects.toMatchObject({ code: 'unknown-run' });
    },
  );

  it('whose removal failed half-way is removed by the next start', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir);
    const { id } = await first.submit(TEXTS);
    const end = refuse('rm', id, 'EIO');
    await expect(first.runs.remove(id)).rejects.toMatchObject({ code: 'EIO' });
    end();
    await first.stop();
    const after = await startCollecting(redis, dataDir);
    expect(after.runs.list()).toEqual([]);
    expect(readdirSync(join(dataDir, 'runs'))).toEqual([]);
  });
});

it.each(['rename', 'rm'] as const)(
  'a file whose deletion fails in %s is deleted by the next attempt',
  async (name) => {
    const dataDir = temporaryFolder();
    const files = await FileStore.open(
      { assertLeaseHeld: () => {}, log: pino({ level: 'silent' }) },
      dataDir,
    );
    onTestFinished(() => files.close());
    const draft = await files.begin();
    await draft.write(Buffer.from('x'));
    const { id } = await draft.commit({ filename: 'a', purpose: 'batch', expiresAt: null });
    const end = refuse(name, id, 'EIO');
    await expect(files.remove(id)).rejects.toMatchObject({ code: 'EIO' });
    end();
    await files.remove(id);
    expect(readdirSync(join(dataDir, 'files'))).toEqual([]);
    await expect(files.remove(id)).rejects.toMatchObject({ code: 'unknown-file' });
  },
);

it('300 completed runs hold no descriptor, neither when they end nor after a restart, and can be read', async () => {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  const first = await startCollecting(redis, dataDir);
  await startHashWorker(redis);
  const before = descriptors();
  const ids: string[] = [];
  for (let group = 0; group < 15; group++) {
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_, i) => first.submit([`text ${group} ${i}`])),
    );
    for (const run of runs) await whenEnded(run);
    ids.push(...runs.map(({ id }) => id));
  }
  // Files are closed 2 s after their last use.
  await until(() => descriptors() <= before + 10);
  await first.stop();
  const after = await startCollecting(redis, dataDir);
  expect(after.runs.list()).toHaveLength(300);
  expect(descriptors()).toBeLessThanOrEqual(before + 10);
  for (const id of ids.slice(0, 50)) expect((await vectorBytes(after.runs.get(id))).byteLength).toBe(64);
  expect(descriptors()).toBeLessThanOrEqual(before + 10);
});

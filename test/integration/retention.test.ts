/** Retention, unloading, export and import of finished runs. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRecord, type Run } from '@embedmill/core/runs';
import { describe, expect, it, vi } from 'vitest';
import { readTar, type TarFile, writeTar } from '../../packages/core/src/runs/tar.ts';
import { makeRows, startApi, type TestApi } from '../support/api.ts';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { embedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';
import { fill, smallFolder } from '../support/small-folder.ts';

const DAY_MS = 24 * 3600 * 1000;
const texts = (count: number) => Array.from({ length: count }, (_, i) => `opinion ${i}`);

/** A data folder with three completed runs whose ends were `daysAgo` days ago, and an open one. */
async function agedRuns(daysAgo: number) {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  const first = await startCollecting(redis, dataDir);
  await startHashWorker(redis);
  const runs: Run[] = [];
  for (let i = 0; i < 3; i++) runs.push(await first.submit(texts(40)));
  for (const run of runs) await whenEnded(run);
  const bytes = await vectorBytes(runs[0]!);
  const open = await first.submit(texts(10), { seal: false });
  await first.stop();
  const ids = runs.map(({ id }) => id);
  for (const id of ids)
    rewriteEnd(join(dataDir, 'runs', id, 'ledger.journal'), Date.now() - daysAgo * DAY_MS);
  const reopen = (keepRunsDays?: number) =>
    startCollecting(redis, dataDir, keepRunsDays === undefined ? {} : { keepRunsDays });
  return { ids, open: open.id, bytes, dataDir, reopen };
}

function rewriteEnd(path: string, at: number): void {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const entries = lines.map((line) => JSON.parse(line.slice(9)));
  writeFileSync(
    path,
    entries.map((entry) => formatRecord(entry.type === 'ended' ? { ...entry, at } : entry)).join(''),
  );
}

describe('the retention', () => {
  it('deletes finished runs whose time is over, except those that are being read', async () => {
    const { ids, open, dataDir, reopen } = await agedRuns(10);
    const { runs, logged } = await reopen(5);
    const release = await runs.get(ids[1]!).hold();
    const before = runs.bytes;
    expect(await runs.removeExpired()).toEqual([ids[0], ids[2]]);
    expect(readdirSync(join(dataDir, 'runs')).sort()).toEqual([ids[1], open].sort());
    expect(logged.at(-1)).toMatchObject({
      msg: 'expired runs are deleted',
      runs: 2,
      freedBytes: before - runs.bytes,
    });
    release();
    expect(await runs.removeExpired()).toEqual([ids[1]]);
    expect(runs.get(open).state).toBe('open');
  });

  it('keeps runs by default, and younger ones', async () => {
    const { ids, reopen } = await agedRuns(10);
    const first = await reopen();
    expect(await first.runs.removeExpired()).toEqual([]);
    expect(first.runs.get(ids[0]!).info().expiresAt).toBeNull();
    await first.stop();
    const second = await reopen(11);
    expect(await second.runs.removeExpired()).toEqual([]);
    expect(Date.parse(second.runs.get(ids[0]!).info().expiresAt!)).toBeGreaterThan(Date.now());
  });

  it('deletes nothing because of a clock that is set forward or back', async () => {
    const { reopen } = await agedRuns(10);
    const { runs } = await reopen(11);
    const now = Date.now();
    for (const days of [400, -400]) {
      vi.useFakeTimers({ toFake: ['Date'], now: now + days * DAY_MS });
      expect(await runs.removeExpired()).toEqual([]);
      vi.useRealTimers();
    }
    expect(runs.list()).toHaveLength(4);
  });

  it('follows the time of a run, which survives a restart and counts for its request key', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const run = await api.create({ keepDays: 3 });
    await api.send(run.id, 0, makeRows(5));
    await api.call('POST', `/v1/runs/${run.id}/seal`);
    const done = await api.completed(run.id);
    expect(done).toMatchObject({ keepDays: 3, bytes: expect.any(Number) });
    expect(Date.parse(done.expiresAt!) - Date.parse(done.endedAt!)).toBe(3 * DAY_MS);
    const create = (keepDays: number) =>
      api.call('POST', '/v1/runs', {
        headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
        body: JSON.stringify({ keepDays }),
      });
    expect([(await create(3)).status, (await create(3)).status, (await create(4)).status]).toEqual([
      201, 200, 422,
    ]);
  });
});

describe('a finished run', () => {
  it('is unloaded after a restart, reads the same bytes, and can be retried and removed', async () => {
    const { ids, bytes, reopen } = await agedRuns(0);
    const { runs } = await reopen();
    const run = runs.get(ids[0]!);
    const info = run.info();
    expect(run.isLoaded).toBe(false);
    expect((await vectorBytes(run)).equals(bytes)).toBe(true);
    expect(run.isLoaded).toBe(true);
    expect(run.info()).toEqual(info);
    expect(run.isHeld).toBe(false);
    expect(run.unload(0)).toBe(true);
    await run.retry();
    expect(run.info()).toEqual(info);
    await runs.remove(ids[0]!);
    await expect(vectorBytes(run)).rejects.toThrow();
  });

  it('is refused by a deletion that is only for unused runs while it is read', async () => {
    const { ids, open, reopen } = await agedRuns(0);
    const { runs } = await reopen();
    const release = await runs.get(ids[0]!).hold();
    await expect(runs.remove(ids[0]!, { onlyUnused: true })).rejects.toMatchObject({ code: 'run-in-use' });
    await expect(runs.remove(open, { onlyUnused: true })).rejects.toMatchObject({ code: 'run-not-finished' });
    release();
    await runs.remove(ids[0]!, { onlyUnused: true });
  });
});

/** A producer with a completed run, and the export of the run. */
async function exported(): Promise<{ api: TestApi; id: string; file: Buffer; npy: Buffer }> {
  const api = await startApi({ shardBytes: 2000 });
  await startHashWorker(api.redis);
  const { id } = await api.create({ name: 'reviews', glossary: [['CPU', 'processor']] });
  await api.send(id, 0, makeRows(100));
  await api.call('POST', `/v1/runs/${id}/seal`);
  await api.completed(id);
  const response = await api.call('GET', `/v1/runs/${id}/export`);
  expect(response.status).toBe(200);
  const file = Buffer.from(await response.arrayBuffer());
  expect(Number(response.headers.get('content-length'))).toBe(file.byteLength);
  return { api, id, file, npy: await npyOf(api, id) };
}

async function npyOf(api: TestApi, id: string): Promise<Buffer> {
  return Buffer.from(await (await api.call('GET', `/v1/runs/${id}/results?format=npy`)).arrayBuffer());
}

function upload(api: TestApi, file: Uint8Array, query = '') {
  return api.call('POST', `/v1/runs/import${query}`, { body: file as Uint8Array<ArrayBuffer> });
}

const namesIn = (api: TestApi) => readdirSync(join(api.dataDir, 'runs'));

describe('an export', () => {
  it('is checked by tar and sha256sum, and is the same bytes each time', async () => {
    const { api, id, file } = await exported();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'run.embedmill'), file);
    execFileSync('tar', ['-xf', 'run.embedmill'], { cwd: folder });
    const checked = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder }).toString();
    expect(checked.match(/: OK$/gm)!.length).toBeGreaterThan(4);
    const again = await (await api.call('GET', `/v1/runs/${id}/export`)).arrayBuffer();
    expect(Buffer.from(again).equals(file)).toBe(true);
    const open = await api.create();
    expect((await api.call('GET', `/v1/runs/${open.id}/export`)).status).toBe(409);
  });

  it('gives another producer the same run; its id is refused there from then on', async () => {
    const { api, id, file, npy } = await exported();
    const other = await startApi({ keepRunsDays: 30 });
    const response = await upload(other, file);
    expect(response.status).toBe(201);
    const [before, after] = await Promise.all(
      [api, other].map(async (each) => (await each.call('GET', `/v1/runs/${id}`)).json()),
    );
    expect({ ...after, bytes: 0, expiresAt: null }).toEqual({ ...before, bytes: 0 });
    expect((await npyOf(other, id)).equals(npy)).toBe(true);
    const again = await upload(other, file);
    expect([again.status, (await again.json()).code]).toEqual([409, 'run-exists']);
    const asNew = await (await upload(other, file, '?asNew=true')).json();
    expect(asNew.id).not.toBe(id);
    expect((await npyOf(other, asNew.id)).equals(npy)).toBe(true);
    expect(namesIn(other).sort()).toEqual([asNew.id, id].sort());
    // As a restart does.
    await other.collecting.stop();
    const { runs } = await startCollecting(other.redis, other.dataDir);
    expect((await vectorBytes(runs.get(asNew.id))).byteLength).toBeGreaterThan(0);
  });

  it('counts its retention from the import', async () => {
    const { ids, reopen } = await agedRuns(100);
    const { runs, stop } = await reopen();
    const { exportRun } = await import('@embedmill/core/runs');
    const run = runs.get(ids[0]!);
    const release = await run.hold();
    const { chunks } = await exportRun(run);
    const other = await startCollecting(testRedis(), temporaryFolder(), { keepRunsDays: 30 });
    await other.runs.import(chunks);
    release();
    await stop();
    expect(await other.runs.removeExpired()).toEqual([]);
    expect(other.runs.list()).toHaveLength(1);
  });

  it('is refused when it is damaged anywhere, and nothing of it is left', async () => {
    const { file } = await exported();
    const other = await startApi();
    const damaged: [string, Buffer][] = [
      ['an empty file', Buffer.alloc(0)],
      ['text', Buffer.from('this is not an export')],
      ['half of it', file.subarray(0, file.byteLength >> 1)],
      ['all but the end', file.subarray(0, file.byteLength - 1024)],
    ];
    for (let at = 700; at < file.byteLength - 2048; at += Math.floor(file.byteLength / 9)) {
      const copy = Buffer.from(file);
      copy[at]! ^= 1;
      // The padding of a tar file has no checksum and no content.
      if (file[at] !== 0) damaged.push([`byte ${at}`, copy]);
    }
    for (const [what, bytes] of damaged) {
      const response = await upload(other, bytes);
      const { code, detail } = await response.json();
      expect([what, response.status, code]).toEqual([what, 400, 'corrupt-export']);
      expect(detail).not.toContain(other.dataDir);
    }
    expect(damaged.length).toBeGreaterThan(8);
    expect(namesIn(other)).toEqual([]);
    expect(other.collecting.runs.list()).toEqual([]);
  });

  it.each([
    [
      'a path outside the folder',
      (files: TarFile[]) => [...files.slice(0, -1), fileOf('../../evil', 'x'), files.at(-1)!],
    ],
    ['a file twice', (files: TarFile[]) => [...files.slice(0, -1), files[1]!, files.at(-1)!]],
    [
      'a file without checksum',
      (files: TarFile[]) => [...files.slice(0, -1), fileOf('shards/99999999.shard', 'x'), files.at(-1)!],
    ],
    ['no rows', (files: TarFile[]) => files.filter(({ name }) => name !== 'rows.jsonl')],
    [
      'a newer version',
      (files: TarFile[]) => [fileOf('run.json', '{"format":"embedmill-run","version":2}'), ...files.slice(1)],
    ],
    [
      'a ledger without the options of the run',
      (files: TarFile[]) =>
        withLedger(files, (entry) => (entry.type === 'created' ? { ...entry, options: {} } : entry)),
    ],
    [
      'a ledger of an active run',
      (files: TarFile[]) => withLedger(files, (entry) => (entry.type === 'ended' ? null : entry)),
    ],
    [
      'the glossary of another run',
      (files: TarFile[]) =>
        withLedger(files, (entry) =>
          entry.type === 'created'
            ? { ...entry, options: { ...(entry.options as object), glossary: '0'.repeat(32) } }
            : entry,
        ),
    ],
    [
      'an id that is a path',
      (files: TarFile[]) => [
        fileOf('run.json', '{"format":"embedmill-run","version":1,"run":"../x","bytes":1}'),
        ...files.slice(1),
      ],
    ],
  ])('is refused with %s', async (_what, change) => {
    const { file } = await exported();
    const files: TarFile[] = [];
    for await (const { name, bytes, content } of readTar(inChunks(file))) {
      const kept: Uint8Array[] = [];
      for await (const chunk of content) kept.push(Buffer.from(chunk));
      files.push({ name, bytes, content: () => kept });
    }
    const packed: Uint8Array[] = [];
    for await (const chunk of writeTar(change(files))) packed.push(chunk);
    const other = await startApi();
    const response = await upload(other, Buffer.concat(packed));
    expect([response.status, (await response.json()).code]).toEqual([400, 'corrupt-export']);
    expect(namesIn(other)).toEqual([]);
  });

  it('of which too much is sent for the disk leaves nothing, before and while it is written', async ({
    skip,
  }) => {
    const folder = smallFolder(4);
    if (folder === null) return skip('only root can mount a small disk');
    const { file } = await exported();
    const { runs } = await startCollecting(testRedis(), folder);
    const ballast = join(folder, 'ballast');
    async function* slowly() {
      yield file.subarray(0, 2048);
      fill(ballast);
      yield file.subarray(2048);
    }
    await expect(runs.import(slowly())).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(runs.import(inChunks(file))).rejects.toMatchObject({
      code: expect.stringMatching(/disk-full|ENOSPC/),
    });
    expect(readdirSync(join(folder, 'runs'))).toEqual([]);
    rmSync(ballast);
    expect((await runs.import(inChunks(file))).state).toBe('completed');
  });

  it('is left out by the next start when the producer dies in the middle of its import', async () => {
    const { file } = await exported();
    const dataDir = temporaryFolder();
    const redis = testRedis();
    const first = await startCollecting(redis, dataDir);
    let dies = () => {};
    let endNow = () => {};
    const dead = new Promise<void>((resolve) => {
      dies = resolve;
    });
    async function* endless() {
      yield file.subarray(0, file.byteLength >> 1);
      dies();
      await new Promise((_, reject) => {
        endNow = () => reject(new Error('the test is over'));
      });
    }
    // Has no end, as in a process that is killed.
    const killed = first.runs.import(endless());
    killed.catch(() => {});
    await dead;
    expect(readdirSync(join(dataDir, 'runs'))).toEqual([expect.stringMatching(/^\.draft-r/)]);
    await first.stop();
    const second = await startCollecting(redis, dataDir);
    expect(readdirSync(join(dataDir, 'runs'))).toEqual([]);
    expect((await second.runs.import(inChunks(file))).state).toBe('completed');
    endNow();
    await expect(killed).rejects.toThrow('the test is over');
  });
});

async function* inChunks(bytes: Buffer) {
  for (let at = 0; at < bytes.byteLength; at += 1000) yield bytes.subarray(at, at + 1000);
}

/** Changes the records of the ledger, and with them its checksum. */
function withLedger(
  files: readonly TarFile[],
  change: (entry: Record<string, unknown>) => Record<string, unknown> | null,
): TarFile[] {
  const text = (file: TarFile) => Buffer.concat([...(file.content() as Iterable<Uint8Array>)]).toString();
  const ledger = files.find(({ name }) => name === 'ledger.journal')!;
  const entries = text(ledger)
    .trimEnd()
    .split('\n')
    .map((line) => change(JSON.parse(line.slice(9))))
    .filter((entry) => entry !== null);
  const changed = fileOf('ledger.journal', entries.map(formatRecord).join(''));
  const sums = text(files.at(-1)!).replace(
    /.*(?= {2}ledger\.journal)/,
    createHash('sha256').update(text(changed)).digest('hex'),
  );
  return [
    ...files.map((file) => (file === ledger ? changed : file)).slice(0, -1),
    fileOf('SHA256SUMS', sums),
  ];
}

function fileOf(name: string, text: string): TarFile {
  return { name, bytes: text.length, content: () => [Buffer.from(text)] };
}

it('the command exports, imports, lists and prunes runs of a server', async () => {
  const { api, id, npy } = await exported();
  const cwd = temporaryFolder();
  const run = (...args: string[]) => embedmill(['runs', ...args, '--server', api.url], { cwd });
  expect(await run('export', id, '--to', 'reviews.embedmill')).toMatchObject({ code: 0 });
  expect(readdirSync(cwd)).toEqual(['reviews.embedmill']);
  const refused = await run('export', id, '--to', 'reviews.embedmill');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('exists; give another one')]);
  const imported = await run('import', 'reviews.embedmill', '--as-new', '--json');
  const copy = JSON.parse(imported.stdout);
  expect((await npyOf(api, copy.id)).equals(npy)).toBe(true);
  expect((await run('list')).stdout).toMatch(/SIZE[\s\S]* kB /);
  expect(await run('prune')).toMatchObject({ code: 2, stderr: expect.stringContaining('--older-than') });
  expect(await run('prune', '--state', 'completed')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes'),
  });
  const dry = JSON.parse((await run('prune', '--state', 'completed', '--dry-run', '--json')).stdout);
  expect(dry).toMatchObject({ dryRun: true, runs: [id, copy.id].sort() });
  expect(namesIn(api)).toHaveLength(2);
  const pruned = await run('prune', '--older-than', '0m', '--yes');
  expect([pruned.code, pruned.stdout]).toEqual([
    0,
    expect.stringMatching(/^2 runs \([\d.]+ kB\) deleted\n$/),
  ]);
  expect(namesIn(api)).toEqual([]);
});

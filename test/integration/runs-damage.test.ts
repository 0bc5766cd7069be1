/** Damaged files of a run: a torn end is cut off, other damage fails that run only. */

import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readResults } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { rowsOf, startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const texts = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `opinion ${start + i}`);

/** A data folder with one sealed run of 100 rows in five batches, none done, and an empty Redis. */
async function stoppedRun() {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  const collecting = await startCollecting(redis, dataDir, { waits: true });
  const { id } = await collecting.submit(texts(100));
  await collecting.stop();
  const keys = await redis.client.keys(`*${redis.prefix}*`);
  await redis.client.unlink(keys);
  const folder = join(dataDir, 'runs', id);
  return {
    redis,
    dataDir,
    id,
    folder,
    journal: join(folder, 'ledger.journal'),
    rows: join(folder, 'rows.jsonl'),
    reopen: () => startCollecting(redis, dataDir),
  };
}

describe('the ledger', () => {
  it.each([
    ['half a line', '1a2b3c4d {"type":"ended","at":17'],
    ['a line that was never confirmed', '00000000 {"type":"ended","at":1,"state":"failed","error":"x"}\n'],
    ['zeros', '\0'.repeat(100)],
  ])('drops %s at its end, and accepts new lines', async (_what, tail) => {
    const { redis, id, journal, reopen } = await stoppedRun();
    const whole = await readFile(journal);
    await appendFile(journal, tail);
    const after = await reopen();
    expect((await readFile(journal)).subarray(0, whole.length).equals(whole)).toBe(true);
    await startHashWorker(redis);
    await whenEnded(after.runs.get(id));
    await after.stop();
    expect((await reopen()).runs.get(id).state).toBe('completed');
  });

  it('survives truncation at any byte: the run keeps every complete line', async () => {
    const { dataDir, id, journal, redis } = await stoppedRun();
    const whole = await readFile(journal);
    const firstLine = whole.indexOf(0x0a) + 1;
    for (let bytes = firstLine; bytes < whole.length; bytes += 97) {
      await writeFile(journal, whole.subarray(0, bytes));
      const opened = await startCollecting(redis, dataDir, { waits: true });
      const run = opened.runs.get(id);
      const lines = whole.subarray(0, bytes).filter((byte) => byte === 0x0a).length;
      // Created, five batches, the part, the seal.
      expect(run.info()).toMatchObject({
        state: lines === 8 ? 'sealed' : 'open',
        parts: lines >= 7 ? 1 : 0,
        batches: { total: Math.min(5, lines - 1) },
      });
      await opened.stop();
    }
  });

  it('with damage before its end fails its run, with the reason, and no other', async () => {
    const { dataDir, id, journal, redis } = await stoppedRun();
    const other = await startCollecting(redis, dataDir, { waits: true });
    const second = await other.submit(texts(20));
    await other.stop();
    const bytes = await readFile(journal);
    // In the second record: the first one has the options.
    bytes[bytes.indexOf(0x0a) + 50]! ^= 1;
    await writeFile(journal, bytes);
    const after = await startCollecting(redis, dataDir);
    expect(after.runs.show(id).info()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('ledger.journal is damaged at byte'),
      options: { batchRows: 20 },
      createdAt: expect.stringMatching(/^20/),
    });
    expect(after.runs.list().map((run) => run.id)).toEqual([second.id, id]);
    expect(() => after.runs.get(id)).toThrow(expect.objectContaining({ code: 'corrupt-run' }));
    // Its files are left unchanged until the run is removed.
    expect((await readFile(journal)).equals(bytes)).toBe(true);
    await after.runs.remove(id);
    expect(await readdir(join(dataDir, 'runs'))).toEqual([second.id]);
    await startHashWorker(redis);
    await whenEnded(after.runs.get(second.id));
  });

  it('that a crash in the creation of its run left is removed, as is a run whose removal was interrupted', async () => {
    const { dataDir, id, redis } = await stoppedRun();
    const runs = join(dataDir, 'runs');
    await mkdir(join(runs, `r${'0'.repeat(19)}`));
    await mkdir(join(runs, '.draft-r1', 'shards'), { recursive: true });
    await mkdir(join(runs, '.removed-r1', 'shards'), { recursive: true });
    const after = await startCollecting(redis, dataDir);
    expect(await readdir(runs)).toEqual([id]);
    expect(after.runs.list().map((run) => run.id)).toEqual([id]);
  });

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['zeros', (whole: Buffer) => Buffer.alloc(whole.length)],
    ['torn in its first record', (whole: Buffer) => whole.subarray(0, 40)],
    ['damaged in its first record', (whole: Buffer) => Buffer.from(whole).fill(0x20, 20, 30)],
    ['missing', () => null],
  ])(
    'that is %s keeps its run, which is shown as failed with the reason, and is not written',
    async (_what, damage) => {
      const { dataDir, id, journal, rows, reopen } = await stoppedRun();
      const damaged = damage(await readFile(journal));
      if (damaged === null) await rm(journal);
      else await writeFile(journal, damaged);
      const before = await contentsOf(join(dataDir, 'runs', id));
      for (let starts = 0; starts < 2; starts++) {
        const after = await reopen();
        expect(after.runs.show(id).info()).toMatchObject({
          state: 'failed',
          error: expect.stringContaining('ledger.journal'),
        });
        expect(after.logged).toContainEqual(
          expect.objectContaining({ run: id, reason: expect.stringContaining('ledger.journal') }),
        );
        await after.stop();
      }
      expect(await contentsOf(join(dataDir, 'runs', id))).toEqual(before);
      expect((await stat(rows)).size).toBeGreaterThan(0);
    },
  );

  it('that is completed without its shards keeps its run, shown as failed', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir);
    await startHashWorker(redis);
    const run = await first.submit(texts(40));
    await whenEnded(run);
    await first.stop();
    await rm(join(dataDir, 'runs', run.id, 'shards'), { recursive: true });
    const after = await startCollecting(redis, dataDir);
    expect(after.runs.show(run.id).info()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('2 of its batches are in no shard'),
    });
  });

  it('can be read after the disk was full in the middle of a line', () => {
    const path = join(temporaryFolder(), 'full.journal');
    // A limit on the file size interrupts a write as a full disk does.
    const script = `
      const { writeFileSync } = await import('node:fs');
      const { formatRecord, Journal } = await import(${JSON.stringify(moduleOf('journal'))});
      const deps = { assertWritable: () => {} };
      writeFileSync(${JSON.stringify(path)}, formatRecord({ kept: 1 }));
      const journal = await Journal.open(${JSON.stringify(path)}, () => {}, deps);
      const refused = await journal.append([{ long: 'x'.repeat(500) }, { long: 'y'.repeat(4000) }]).catch((e) => e.code);
      await journal.append([{ kept: 2 }]);
      await journal.close();
      const read = [];
      await (await Journal.open(${JSON.stringify(path)}, (entry) => read.push(entry), deps)).close();
      console.log(JSON.stringify({ refused, read }));`;
    expect(runLimited(script)).toEqual({ refused: 'EFBIG', read: [{ kept: 1 }, { kept: 2 }] });
  });
});

describe('the rows', () => {
  it('that are not in the ledger are cut off before the next rows', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir, { waits: true });
    const { id } = await first.submit(texts(100), { seal: false });
    await first.stop();
    const rows = join(dataDir, 'runs', id, 'rows.jsonl');
    const whole = await readFile(rows);
    await appendFile(rows, '[["torn", 1, "half a batch"]]\n'.repeat(1000));
    const after = await startCollecting(redis, dataDir);
    const run = after.runs.get(id);
    await run.addPart({ part: 1, rows: rowsOf(texts(1, 100)), sha256: () => 'sha' });
    await run.seal();
    expect((await readFile(rows, 'utf8')).slice(whole.length)).toBe('[[null,1,"opinion 100"]]\n');
    await startHashWorker(redis);
    await whenEnded(run);
    expect(run.state).toBe('completed');
  });

  it('that are missing fail their run, with the reason, when they must be sent again, and no other run', async () => {
    const { dataDir, id, rows, redis } = await stoppedRun();
    await truncate(rows, 1000);
    const after = await startCollecting(redis, dataDir);
    await startHashWorker(redis);
    const healthy = await after.submit(texts(40));
    await whenEnded(after.runs.get(id));
    expect(after.runs.get(id).info()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('rows.jsonl'),
    });
    await whenEnded(healthy);
    expect(healthy.state).toBe('completed');
    expect(after.credits.usedBytes).toBe(0);
  });

  it('are written where the ledger expects them after the disk was full', () => {
    const path = join(temporaryFolder(), 'rows.jsonl');
    const script = `
      const { RowLog } = await import(${JSON.stringify(moduleOf('row-log'))});
      (await import('node:fs')).writeFileSync(${JSON.stringify(path)}, '');
      const log = await RowLog.open(${JSON.stringify(path)}, 0, { assertWritable: () => {} });
      const [first] = await log.append([Buffer.from('[["a",1,"x"]]\\n')]);
      const refused = await log.append([Buffer.alloc(5000, 0x20)]).catch((e) => e.code);
      const [second] = await log.append([Buffer.from('[["b",2,"y"]]\\n')]);
      console.log(JSON.stringify({ refused, read: [await log.read(first), await log.read(second)] }));
      await log.close();`;
    expect(runLimited(script)).toEqual({ refused: 'EFBIG', read: [[['a', 1, 'x']], [['b', 2, 'y']]] });
  });
});

describe('a shard', () => {
  /** A completed run. */
  async function completedRun() {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const collecting = await startCollecting(redis, dataDir);
    await startHashWorker(redis);
    const run = await collecting.submit(texts(100));
    await whenEnded(run);
    const bytes = await vectorBytes(run);
    const folder = join(dataDir, 'runs', run.id, 'shards');
    return { redis, dataDir, collecting, run, bytes, folder };
  }

  it('with a flipped bit in a vector is detected when it is read', async () => {
    const { run, folder } = await completedRun();
    const path = join(folder, (await readdir(folder))[0]!);
    const bytes = await readFile(path);
    bytes[500] = bytes[500]! ^ 4;
    await writeFile(path, bytes);
    const read = async () => {
      for await (const _ of readResults(run));
    };
    await expect(read()).rejects.toMatchObject({ code: 'corrupt-result' });
  });

  it.each([
    ['truncated', (bytes: Buffer) => bytes.subarray(0, bytes.length - 5)],
    ['empty', () => Buffer.alloc(0)],
    [
      'damaged in its list of batches',
      (bytes: Buffer) => bytes.fill(0x20, bytes.length - 40, bytes.length - 30),
    ],
  ])('that is %s makes its run unreadable, and no other', async (_what, damage) => {
    const { redis, dataDir, collecting, run, folder } = await completedRun();
    const other = await collecting.submit(texts(20));
    await whenEnded(other);
    await collecting.stop();
    const path = join(folder, (await readdir(folder))[0]!);
    await writeFile(path, damage(await readFile(path)));
    const after = await startCollecting(redis, dataDir);
    expect(after.runs.show(run.id).info()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('.shard is damaged'),
    });
    expect(after.runs.show(other.id).state).toBe('completed');
  });

  it('that was not finished is deleted', async () => {
    const { redis, dataDir, collecting, run, bytes, folder } = await completedRun();
    await collecting.stop();
    await writeFile(join(folder, '00000099.shard.tmp'), 'half');
    const after = await startCollecting(redis, dataDir);
    expect((await readdir(folder)).every((name) => name.endsWith('.shard'))).toBe(true);
    expect((await vectorBytes(after.runs.get(run.id))).equals(bytes)).toBe(true);
  });
});

describe('a run that is removed', () => {
  it('loses its files, and its upload is stopped', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const collecting = await startCollecting(redis, dataDir);
    const run = await collecting.submit(texts(40));
    const open = await collecting.runs.create({ options: run.options });
    async function* rows() {
      yield* rowsOf(texts(40));
      await collecting.runs.remove(open.id);
      yield* rowsOf(texts(40, 40));
    }
    await expect(open.addPart({ part: 0, rows: rows(), sha256: () => 'sha' })).rejects.toMatchObject({
      code: 'run-ended',
    });
    await collecting.runs.remove(run.id);
    expect(await readdir(join(dataDir, 'runs'))).toEqual([]);
    expect(() => collecting.runs.get(run.id)).toThrow(expect.objectContaining({ code: 'unknown-run' }));
    expect(collecting.credits.usedBytes).toBe(0);
    // Late results are discarded.
    await startHashWorker(redis);
    await until(async () => {
      const { waiting, active } = await collecting.queue.counts();
      return waiting + active === 0 && (await redis.client.xlen(`{${redis.prefix}}:ready:home`)) === 0;
    });
  });
});

/** Files below a folder and their contents. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  const contents = await Promise.all(files.map((path) => readFile(path, 'base64')));
  return Object.fromEntries(files.map((path, i) => [path, contents[i]!]));
}

function moduleOf(name: string): string {
  return pathToFileURL(join(import.meta.dirname, `../../packages/core/dist/runs/${name}.js`)).href;
}

/** Runs a script with a file size limit of 4 KiB, and returns the JSON that it prints. */
function runLimited(script: string): unknown {
  const output = execFileSync(
    'bash',
    ['-c', 'ulimit -f 4 && exec node --input-type=module -e "$0"', script],
    {
      encoding: 'utf8',
    },
  );
  return JSON.parse(output);
}

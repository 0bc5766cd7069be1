/** `embedmill runs repair`: ledgers rebuilt from rows and shards; nothing is guessed, nothing is deleted. */

import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LedgerEntry, repairRuns } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
import { rowsOf, startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { startProducerProcess } from '../support/mill.ts';
import { startNode } from '../support/process.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const CLI = join(import.meta.dirname, '../../apps/cli/dist/main.js');
const TEXTS = Array.from({ length: 100 }, (_, i) => `opinion ${i}`);

/** A completed run in a stopped data folder. */
async function completedRun(redis: TestRedis) {
  const dataDir = temporaryFolder();
  const first = await startCollecting(redis, dataDir, { shardBytes: 3000 });
  const worker = await startHashWorker(redis);
  const run = await first.submit(TEXTS);
  await whenEnded(run);
  const bytes = await vectorBytes(run);
  await worker.stop(1000);
  await first.stop();
  const folder = join(dataDir, 'runs', run.id);
  return { dataDir, id: run.id, folder, journal: join(folder, 'ledger.journal'), bytes };
}

async function repair(dataDir: string, options: { run?: string; seal?: boolean } = {}) {
  const reports = [];
  for await (const report of repairRuns({ dataDir, assertWritable: () => {}, ...options }))
    reports.push(report);
  return reports;
}

/** Opens the data folder and expects the run to complete with these vectors. */
async function expectCompleted(
  redis: TestRedis,
  dataDir: string,
  id: string,
  bytes: Buffer,
  rows = TEXTS.length,
): Promise<void> {
  const after = await startCollecting(redis, dataDir);
  await startHashWorker(redis);
  const run = after.runs.get(id);
  await whenEnded(run);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: rows } });
  expect((await vectorBytes(run)).equals(bytes)).toBe(true);
}

describe('repairing a run', () => {
  it('that is sound changes nothing', async () => {
    const { dataDir, id, journal } = await completedRun(testRedis());
    const before = readFileSync(journal);
    expect(await repair(dataDir)).toEqual([{ run: id, outcome: 'sound', notes: [] }]);
    expect(readFileSync(journal).equals(before)).toBe(true);
  });

  it('with a damaged record of a batch rebuilds the record from the rows', async () => {
    const redis = testRedis();
    const { dataDir, id, journal, bytes } = await completedRun(redis);
    const damaged = readFileSync(journal);
    // In the third record, the second batch.
    damaged[damaged.indexOf(0x0a, damaged.indexOf(0x0a) + 1) + 50]! ^= 1;
    writeFileSync(journal, damaged);
    expect(await repair(dataDir)).toEqual([
      {
        run: id,
        outcome: 'repaired',
        notes: expect.arrayContaining([expect.stringContaining('1 batches were rebuilt')]),
      },
    ]);
    expect(readFileSync(`${journal}.damaged-1`).equals(damaged)).toBe(true);
    await expectCompleted(redis, dataDir, id, bytes);
  });

  it.each([
    ['empty', (path: string) => writeFileSync(path, '')],
    ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(5000))],
    ['missing', (path: string) => rmSync(path)],
  ])(
    'whose ledger is %s needs --seal, as nothing tells whether its rows are complete',
    async (_what, damage) => {
      const redis = testRedis();
      const { dataDir, id, journal, bytes } = await completedRun(redis);
      damage(journal);
      expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'kept' }]);
      expect(await repair(dataDir, { run: id, seal: true })).toMatchObject([
        { run: id, outcome: 'repaired' },
      ]);
      await expectCompleted(redis, dataDir, id, bytes);
    },
  );

  it('without options and with rows to embed is not repaired: they could get other options', async () => {
    const { dataDir, id, journal, folder } = await completedRun(testRedis());
    writeFileSync(journal, '');
    rmSync(join(folder, 'shards', readdirSync(join(folder, 'shards'))[0]!));
    const before = readdirSync(folder);
    const [report] = await repair(dataDir, { seal: true });
    expect(report).toMatchObject({ run: id, outcome: 'kept' });
    expect(report!.notes.at(-1)).toContain('the options of the run are lost');
    expect(readdirSync(folder)).toEqual(before);
  });

  it('with a missing shard has its batches embedded again', async () => {
    const redis = testRedis();
    const { dataDir, id, folder, bytes } = await completedRun(redis);
    const shards = join(folder, 'shards');
    rmSync(join(shards, readdirSync(shards)[0]!));
    expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'repaired' }]);
    await expectCompleted(redis, dataDir, id, bytes);
  });

  it.each([
    ['vector', (_bytes: Buffer) => 100],
    ['list of batches', (bytes: Buffer) => bytes.length - 40],
  ])(
    'with a damaged %s in a shard has its batches embedded again, and keeps the shard aside',
    async (_what, placeIn) => {
      const redis = testRedis();
      const { dataDir, id, folder, bytes } = await completedRun(redis);
      const shards = join(folder, 'shards');
      const [name = ''] = readdirSync(shards);
      const damaged = readFileSync(join(shards, name));
      damaged[placeIn(damaged)]! ^= 1;
      writeFileSync(join(shards, name), damaged);
      expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'repaired' }]);
      expect(readFileSync(join(shards, `${name}.damaged-1`)).equals(damaged)).toBe(true);
      await expectCompleted(redis, dataDir, id, bytes);
    },
  );

  it('whose rows are missing keeps it as it is', async () => {
    const { dataDir, id, folder } = await completedRun(testRedis());
    renameSync(join(folder, 'rows.jsonl'), join(dataDir, 'rows.jsonl'));
    expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'kept' }]);
  });
});

describe('repairing a run with a dropped part', () => {
  const DROPPED = Array.from({ length: 50 }, (_, i) => `dropped ${i}`);

  /**
   * A completed run: part 0 in five batches, two batches of part 1, which was dropped and sent again with other rows in
   * one batch, and one batch of part 2, which was dropped.
   */
  async function runWithDrops(redis: TestRedis) {
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir, { shardBytes: 3000 });
    const worker = await startHashWorker(redis);
    const run = await first.submit(TEXTS, { seal: false });
    const interrupt = async (part: number, texts: readonly string[]) => {
      const rows = async function* () {
        yield* rowsOf(texts);
        throw new Error('the client disconnected');
      };
      await expect(run.addPart({ part, rows: rows(), sha256: () => '' })).rejects.toThrow('disconnected');
      await run.dropPart(part);
    };
    await interrupt(1, DROPPED);
    await run.addPart({ part: 1, rows: rowsOf(['sent again']), sha256: () => 'again' });
    await interrupt(2, DROPPED.slice(0, 20));
    expect([...run.files.ledger.droppedBatches]).toEqual([5, 6, 8]);
    await run.seal();
    await whenEnded(run);
    const bytes = await vectorBytes(run);
    await worker.stop(1000);
    await first.stop();
    const folder = join(dataDir, 'runs', run.id);
    return { dataDir, id: run.id, folder, journal: join(folder, 'ledger.journal'), bytes };
  }

  /** Damages the lines of a journal that `which` selects, which also gets the number of batches before each; returns their number. */
  function damageLines(journal: string, which: (entry: LedgerEntry, batch: number) => boolean): number {
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    let [damaged, batch] = [0, 0];
    const written = lines.map((line) => {
      const entry: LedgerEntry = JSON.parse(line.slice(9));
      const isSelected = which(entry, batch);
      if (entry.type === 'batch') batch += 1;
      if (!isSelected) return line;
      damaged += 1;
      return `${line.slice(0, 20)}#${line.slice(21)}`;
    });
    writeFileSync(journal, `${written.join('\n')}\n`);
    return damaged;
  }

  it('finds it sound, although dropped batches are in no shard', async () => {
    const { dataDir, id } = await runWithDrops(testRedis());
    expect(await repair(dataDir)).toEqual([{ run: id, outcome: 'sound', notes: [] }]);
  });

  it.each([
    ['a missing shard', undefined],
    [
      'a damaged first batch',
      (entry: LedgerEntry) => entry.type === 'batch' && entry.batch.span.offset === 0,
    ],
    ['a damaged dropped batch', (entry: LedgerEntry, batch: number) => entry.type === 'batch' && batch === 6],
    ['a damaged seal', (entry: LedgerEntry) => entry.type === 'sealed'],
  ])('does not revive its rows after %s', async (_what, which) => {
    const redis = testRedis();
    const { dataDir, id, folder, journal, bytes } = await runWithDrops(redis);
    if (which === undefined) {
      const shards = join(folder, 'shards');
      rmSync(join(shards, readdirSync(shards)[0]!));
    } else expect(damageLines(journal, which)).toBeGreaterThan(0);
    const [report] = await repair(dataDir);
    expect(report).toMatchObject({ run: id, outcome: 'repaired' });
    await expectCompleted(redis, dataDir, id, bytes, TEXTS.length + 1);
  });

  it.each([
    [
      'all batches of the dropped parts',
      (entry: LedgerEntry) => entry.type === 'batch' && entry.batch.part > 0,
    ],
    ['the drop', (entry: LedgerEntry) => entry.type === 'dropped' && entry.part === 2],
    [
      'the drop before the rows that were sent instead',
      (entry: LedgerEntry) => entry.type === 'dropped' && entry.part === 1,
    ],
  ])('keeps it as it is when the records of %s are damaged', async (_what, which) => {
    const { dataDir, id, journal } = await runWithDrops(testRedis());
    expect(damageLines(journal, which)).toBeGreaterThan(0);
    const before = readFileSync(journal);
    const [report] = await repair(dataDir);
    expect(report).toMatchObject({ run: id, outcome: 'kept' });
    expect(report!.notes.at(-1)).toContain('were dropped');
    expect(readFileSync(journal).equals(before)).toBe(true);
  });
});

describe('the command', () => {
  it('refuses a folder that a producer owns, and repairs it afterwards', async () => {
    const redis = testRedis();
    const { dataDir, id, journal } = await completedRun(redis);
    const copy = temporaryFolder();
    cpSync(dataDir, copy, { recursive: true });
    const producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const env = { EMBEDMILL_DATA_DIR: dataDir };
    const refused = startNode([CLI, 'runs', 'repair'], { env });
    expect((await refused.waitForExit()).code).toBe(1);
    expect(refused.stderr).toContain(`in use by process ${producer.process.pid}`);
    producer.process.kill('SIGTERM');
    await producer.process.exited;
    writeFileSync(journal, '');
    const kept = startNode([CLI, 'runs', 'repair'], { env });
    expect((await kept.waitForExit()).code).toBe(1);
    expect(kept.stdout).toContain(`${id} cannot be repaired and is unchanged`);
    const repaired = startNode([CLI, 'runs', 'repair', id, '--seal'], { env });
    expect((await repaired.waitForExit()).code).toBe(0);
    expect(repaired.stdout).toContain(`${id} is repaired`);
  });
});

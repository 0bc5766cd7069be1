/** `embedmill runs repair`: ledgers rebuilt from rows and shards; nothing is guessed, nothing is deleted. */

import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repairRuns } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
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
async function expectCompleted(redis: TestRedis, dataDir: string, id: string, bytes: Buffer): Promise<void> {
  const after = await startCollecting(redis, dataDir);
  await startHashWorker(redis);
  const run = after.runs.get(id);
  await whenEnded(run);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: TEXTS.length } });
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

  it('with damaged or missing shards has their batches embedded again', async () => {
    const redis = testRedis();
    const { dataDir, id, folder, bytes } = await completedRun(redis);
    const shards = join(folder, 'shards');
    const [first = '', second = ''] = readdirSync(shards);
    rmSync(join(shards, first));
    const damaged = readFileSync(join(shards, second));
    damaged[100]! ^= 1;
    writeFileSync(join(shards, second), damaged);
    expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'repaired' }]);
    expect(readdirSync(shards)).toContain(`${second}.damaged-1`);
    await expectCompleted(redis, dataDir, id, bytes);
  });

  it('whose rows are missing keeps it as it is', async () => {
    const { dataDir, id, folder } = await completedRun(testRedis());
    renameSync(join(folder, 'rows.jsonl'), join(dataDir, 'rows.jsonl'));
    expect(await repair(dataDir)).toMatchObject([{ run: id, outcome: 'kept' }]);
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

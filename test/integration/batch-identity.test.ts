/** A batch is known by its rows: results, payloads and shards of other rows under the same number are never used. */

import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { type Collecting, rowsOf, startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hashVector, startHashWorker } from '../support/hash-worker.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const textsOf = (what: string) => Array.from({ length: 60 }, (_, i) => `${what} ${i}`);
const OLD = textsOf('a text that was sent before');
const NEW = textsOf('a text that was sent after the restoration');
const partOf = (texts: readonly string[]) => ({ part: 0, rows: rowsOf(texts), sha256: () => texts[0]! });

/** The vectors of these texts, concatenated. */
const bytesOf = (texts: readonly string[]) =>
  Buffer.concat(texts.map((text) => Buffer.from(hashVector(text).buffer)));

/** Waits for the end of the run, and expects exactly the vectors of `texts`. */
async function expectVectors({ runs }: Collecting, id: string, texts: readonly string[]): Promise<void> {
  const run = runs.get(id);
  await whenEnded(run);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: texts.length } });
  expect((await vectorBytes(run)).equals(bytesOf(texts))).toBe(true);
}

/** A data folder with an open run to which `OLD` was sent, and its ledger from before that. */
async function sentBefore(
  redis: TestRedis,
): Promise<{ dataDir: string; id: string; restore: () => Promise<void> }> {
  const dataDir = temporaryFolder();
  const first = await startCollecting(redis, dataDir, { waits: true });
  const { id } = await first.submit([], { seal: false });
  const folder = join(dataDir, 'runs', id);
  const journal = join(folder, 'ledger.journal');
  // Without the empty part that `submit` sent.
  const ledger = (await readFile(journal)).subarray(0, (await readFile(journal)).indexOf(0x0a) + 1);
  await first.stop();
  await writeFile(journal, ledger);
  const second = await startCollecting(redis, dataDir, { waits: true });
  await second.runs.get(id).addPart(partOf(OLD));
  await second.stop();
  return { dataDir, id, restore: () => writeFile(journal, ledger) };
}

describe('an older ledger', () => {
  it('beside shards that it does not know: they do not count, and are logged', async () => {
    const redis = testRedis();
    const { dataDir, id, restore } = await sentBefore(redis);
    const storing = await startCollecting(redis, dataDir);
    const worker = await startHashWorker(redis);
    await until(() => storing.runs.get(id).info().batches.stored === 3);
    await worker.stop(1000);
    await storing.stop();
    await restore();
    const after = await startCollecting(redis, dataDir);
    const run = after.runs.get(id);
    expect(run.info().batches).toEqual({ total: 0, done: 0, stored: 0 });
    expect(after.logged).toContainEqual(expect.objectContaining({ level: 40, run: id, batches: 3 }));
    await startHashWorker(redis);
    await run.addPart(partOf(NEW));
    await run.seal();
    await expectVectors(after, id, NEW);
    await after.stop();
    await expectVectors(await startCollecting(redis, dataDir), id, NEW);
  });

  it('while Redis holds results of the later rows: they are refused and the batches done again', async () => {
    const redis = testRedis();
    const { dataDir, id, restore } = await sentBefore(redis);
    const worker = await startHashWorker(redis);
    const ready = `{${redis.prefix}}:ready:home`;
    await until(async () => (await redis.client.xlen(ready)) === 3);
    await worker.stop(1000);
    await restore();
    const after = await startCollecting(redis, dataDir, { waits: true });
    await after.runs.get(id).addPart(partOf(NEW));
    await after.runs.get(id).seal();
    after.collect();
    // Before a worker can replace the results.
    const fault = 'it was computed for other rows with the same batch number';
    await until(() => after.logged.filter((line) => line.fault === fault).length === 3);
    await startHashWorker(redis);
    await expectVectors(after, id, NEW);
  });

  it('while Redis holds payloads and jobs of the later rows: every vector is of its own text', async () => {
    const redis = testRedis();
    const { dataDir, id, restore } = await sentBefore(redis);
    await restore();
    const after = await startCollecting(redis, dataDir);
    await after.runs.get(id).addPart(partOf(NEW));
    await after.runs.get(id).seal();
    await startHashWorker(redis);
    await whenStored(after, id);
    await expectVectors(after, id, NEW);
  });
});

describe('another copy of a run', () => {
  it.each([
    ['with the jobs of the first one', false],
    ['without jobs', true],
  ])(
    'on a Redis that holds the payloads of the first one, %s: every vector is of its own text',
    async (_what, withoutJobs) => {
      const [redis, elsewhere] = [testRedis(), testRedis()];
      const { dataDir, id, restore } = await sentBefore(redis);
      await restore();
      const copy = temporaryFolder();
      await cp(dataDir, copy, { recursive: true });
      const other = await startCollecting(elsewhere, copy, { waits: true });
      await other.runs.get(id).addPart(partOf(NEW));
      await other.runs.get(id).seal();
      await other.stop();
      if (withoutJobs) await redis.client.unlink(await redis.client.keys(`{${redis.prefix}}:bulk:*`));
      const after = await startCollecting(redis, copy);
      await startHashWorker(redis);
      await whenStored(after, id);
      await expectVectors(after, id, NEW);
      await rm(copy, { recursive: true, force: true });
    },
  );
});

describe('without digests', () => {
  it('from a worker of the previous version, results are stored as before', async () => {
    const redis = testRedis();
    const collecting = await startCollecting(redis, temporaryFolder());
    await startHashWorker(redis, { isOld: true });
    const { id } = await collecting.submit(NEW);
    await expectVectors(collecting, id, NEW);
  });

  it('in files of the previous version, stored batches count', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startCollecting(redis, dataDir);
    const worker = await startHashWorker(redis, { isOld: true });
    const { id } = await first.submit(NEW);
    await whenEnded(first.runs.get(id));
    await worker.stop(1000);
    await first.stop();
    await removeDigests(join(dataDir, 'runs', id));
    await expectVectors(await startCollecting(redis, dataDir), id, NEW);
  });
});

/** Audits until every batch is stored: a job of other rows may be in the way of the right one until the next audit. */
async function whenStored({ runs, audit }: Collecting, id: string): Promise<void> {
  await until(async () => {
    audit();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return !runs.get(id).isActive;
  });
}

/** Rewrites the files of a run as version 0.1 wrote them. */
async function removeDigests(folder: string): Promise<void> {
  const { formatRecord, parseRecord } = await import('../../packages/core/src/runs/journal.ts');
  const { listShards, readShardEntries, openShard } = await import(
    '../../packages/core/src/runs/shards/shard.ts'
  );
  const { crc32 } = await import('node:zlib');
  const journal = join(folder, 'ledger.journal');
  const records = (await readFile(journal, 'utf8')).trimEnd().split('\n');
  const entries = records.map(
    (line) => parseRecord<{ batch?: { payloadDigest?: string } }>(Buffer.from(line))!,
  );
  for (const { batch } of entries) if (batch !== undefined) delete batch.payloadDigest;
  await writeFile(journal, entries.map(formatRecord).join(''));
  const shards = join(folder, 'shards');
  for (const name of (await listShards(shards)).shards) {
    const path = join(shards, name);
    const file = await openShard(path);
    const found = await readShardEntries(file, path);
    await file.close();
    const last = found.at(-1)!;
    const json = Buffer.from(JSON.stringify(found.map(({ digest: _, ...entry }) => entry)));
    const trailer = Buffer.alloc(12);
    trailer.writeUInt32LE(json.byteLength, 0);
    trailer.writeUInt32LE(crc32(json), 4);
    trailer.write('EMS1', 8, 'latin1');
    const results = (await readFile(path)).subarray(0, last.offset + last.bytes);
    await writeFile(path, Buffer.concat([results, json, trailer]));
  }
}

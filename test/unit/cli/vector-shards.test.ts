/** Sets of shards: how they are written, published and read as one. */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FORMATS, type OutputRows } from '@embedmill/core/formats';
import { expect, test } from 'vitest';
import { writeShards } from '../../../apps/cli/src/engine/run/write-shards.ts';
import { toShards } from '../../../apps/cli/src/io/output/shards.ts';
import { openVectors } from '../../../apps/cli/src/io/vectors/open.ts';
import { shardPath, shardPattern, shardsOf } from '../../../apps/cli/src/io/vectors/shards.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { sliceAt, unitRows } from '../sinks/vectors.ts';

const all = unitRows(25, 8);
const encode = (source: AsyncIterable<OutputRows>) => FORMATS.parquet.encode(source, { rows: null, dim: 8 });

/** Writes `all` in shards of `shardRows` rows, and publishes them. */
async function write(path: string, shardRows: number, rows = all): Promise<void> {
  const drafts = await writeShards({
    ...{
      path,
      format: 'parquet',
      dtype: 'float32',
      dim: 8,
      shardRows,
      rows: sliceAt(rows, [3, 3, 17]),
      encode,
    },
  });
  await toShards(path).publish(drafts, []);
}

async function idsIn(given: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const slice of (await openVectors(given)).read()) ids.push(...slice.ids);
  return ids;
}

test('shards are read as one file by their folder, a glob, or the name of the output', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'out.parquet');
  await write(path, 10);
  expect(shardsOf(path).map((shard) => basename(shard))).toEqual([
    'out-00000-of-00003.parquet',
    'out-00001-of-00003.parquet',
    'out-00002-of-00003.parquet',
  ]);
  writeFileSync(join(folder, 'out.parquet.report.jsonl'), '');
  for (const given of [folder, shardPattern(path, 3), path]) {
    expect(await idsIn(given)).toEqual(all.ids);
    expect((await openVectors(given)).rows).toBe(25);
  }
  expect(await idsIn(shardPath(path, 1, 3))).toEqual(all.ids.slice(10, 20));
});

test('another set replaces the first, and one without rows has one shard', async () => {
  const path = join(temporaryFolder(), 'out.parquet');
  await write(path, 10);
  await write(path, 13);
  expect(shardsOf(path)).toHaveLength(2);
  expect(await idsIn(path)).toEqual(all.ids);
  await write(path, 10, unitRows(0, 8));
  expect(shardsOf(path)).toEqual([shardPath(path, 0, 1)]);
  expect(existsSync(path)).toBe(false);
});

test('a missing shard, files of two kinds and no files are errors', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'out.parquet');
  await expect(openVectors(folder)).rejects.toThrow('has no vector files');
  await write(path, 10);
  rmSync(shardPath(path, 1, 3));
  await expect(openVectors(folder)).rejects.toThrow('has 2 of 3 shards');
  await expect(openVectors(path)).rejects.toThrow('has 2 of 3 shards');
  writeFileSync(join(folder, 'rows.jsonl'), '{}\n');
  await expect(openVectors(folder)).rejects.toThrow('has .parquet and .jsonl files; give one kind');
  await expect(openVectors(join(folder, '*.arrow'))).rejects.toThrow('there is no vector file');
});

test('a failure leaves no draft', async () => {
  const path = join(temporaryFolder(), 'out.parquet');
  async function* broken() {
    yield* sliceAt(unitRows(15, 8), []);
    throw new Error('connection lost');
  }
  const writing = writeShards({
    ...{ path, format: 'parquet', dtype: 'float32', dim: 8, shardRows: 10, rows: broken(), encode },
  });
  await expect(writing).rejects.toThrow('connection lost');
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('the shards of an .npy state their rows', async () => {
  const path = join(temporaryFolder(), 'out.npy');
  const drafts = await writeShards({
    ...{ path, format: 'npy', dtype: 'float32', dim: 8, shardRows: 10, rows: sliceAt(all, [4]) },
    encode: (source) => FORMATS.npy.encode(source, { rows: null, dim: 8 }),
  });
  const headers = drafts.map(({ draftPath }) => readFileSync(draftPath).toString('latin1', 0, 128));
  expect(headers.map((header) => /'shape': (\(.*?\))/.exec(header)?.[1])).toEqual([
    '(10, 8)',
    '(10, 8)',
    '(5, 8)',
  ]);
});

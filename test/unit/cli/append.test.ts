/** Row indexes, and the rows that `embed --append` takes from an old output. */

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { VectorRows } from '@embedmill/contract';
import { type FieldsRow, FORMATS, type InputPlan } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { publishLeftDrafts, removedChoice } from '../../../apps/cli/src/commands/embed/append.ts';
import { WorkFolder } from '../../../apps/cli/src/commands/embed/work-folder.ts';
import { DIGEST_BYTES, DigestTable, digestOfText } from '../../../apps/cli/src/io/append/digest.ts';
import { IndexDigests } from '../../../apps/cli/src/io/append/index-digests.ts';
import { mergeRows } from '../../../apps/cli/src/io/append/merge.ts';
import { type KeptRow, OldOutput } from '../../../apps/cli/src/io/append/old-output.ts';
import {
  encodeRowIndex,
  hashOfFile,
  headBytesOf,
  OutputHash,
  openRowIndex,
  removeOldIndexes,
  rowIndexPath,
} from '../../../apps/cli/src/io/append/row-index.ts';
import { RowSpool } from '../../../apps/cli/src/io/append/row-spool.ts';
import { toFiles } from '../../../apps/cli/src/io/output/files.ts';
import type { OutputTarget } from '../../../apps/cli/src/io/output/types.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { encodeChunks, sliceAt, unitRows } from '../sinks/vectors.ts';

const OPTIONS = { precision: 'int8', prompt: null, dtype: 'float32' };

async function* each<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const some of items) all.push(...some);
  return all;
}

const row = (id: string | null, text: string): FieldsRow => ({ ok: true, line: 1, id, text });

/** Writes an output with its index, as a plain `embed` does; `isEarlier`: as an earlier version did. */
async function writeOutput(
  rows: readonly FieldsRow[],
  vectors: VectorRows,
  format: OutputTarget['format'] = 'parquet',
  isEarlier = false,
): Promise<OutputTarget> {
  const folder = temporaryFolder();
  const path = join(folder, `out.${format}`);
  const bytes = Buffer.concat(await encodeChunks(FORMATS[format], vectors, {}));
  writeFileSync(path, bytes);
  const spool = new RowSpool(join(temporaryFolder(), 'rows'), null);
  await collect(spool.record(each([...rows])));
  const hash = new OutputHash(isEarlier ? 0 : headBytesOf(format));
  for (const byte of [bytes.subarray(0, 50), bytes.subarray(50)]) hash.update(byte);
  const sha256 = hash.digest();
  const header = {
    ...{ version: 1 as const, rows: rows.length, dim: vectors.dim, model: 'm' },
    ...{ fingerprint: 'f', options: OPTIONS, sha256 },
  };
  const chunks: Uint8Array[] = [];
  const digests = new IndexDigests(join(temporaryFolder(), 'digests'));
  await digests.collect(spool.read(), sliceAt(vectors, [1]));
  for await (const chunk of encodeRowIndex(header, digests.read())) chunks.push(chunk);
  writeFileSync(rowIndexPath(path, sha256), Buffer.concat(chunks));
  return {
    ...{
      path,
      object: null,
      isLance: false,
      format,
      encoding: 'float',
      dtype: 'float32',
      dimensions: null,
      shardRows: null,
    },
  };
}

/** Rows of which those numbered `missing` have no vector. */
function someRows(rows: number, dim: number, missing: readonly number[] = []): VectorRows {
  const made = unitRows(rows, dim);
  for (const n of missing) {
    made.present[n] = 0;
    made.vectors.fill(0, n * dim, (n + 1) * dim);
  }
  return made;
}

const rowsOf = (vectors: VectorRows) => vectors.ids.map((id) => row(id, `text of ${id}`));

describe('a table of digests', () => {
  test('finds every row, the first of equal ones, and no others', () => {
    const rows = 5_000;
    const digests = new Uint8Array(randomBytes(rows * DIGEST_BYTES));
    digests.copyWithin(70 * DIGEST_BYTES, 30 * DIGEST_BYTES, 31 * DIGEST_BYTES);
    digests.fill(0, 99 * DIGEST_BYTES, 100 * DIGEST_BYTES);
    const table = new DigestTable(digests);
    for (let n = 0; n < rows; n++) {
      const found = n === 99 ? null : n === 70 ? 30 : n;
      expect(table.find(table.at(n))).toBe(found);
    }
    expect(table.find(new Uint8Array(randomBytes(DIGEST_BYTES)))).toBe(null);
    expect(new DigestTable(new Uint8Array()).find(digestOfText(''))).toBe(null);
  });
});

test('removed rows are not dropped because --limit does not read them', () => {
  const plansOf = (idField: string | null) => [{ idField } as InputPlan];
  expect(removedChoice({ removed: null, limit: 3 }, plansOf('id'))).toBe('keep');
  expect(removedChoice({ removed: 'drop', limit: null }, plansOf('id'))).toBe('drop');
  expect(removedChoice({ removed: null, limit: null }, plansOf(null))).toBe('drop');
  expect(() => removedChoice({ removed: 'drop', limit: 3 }, plansOf('id'))).toThrow(
    '--removed drop drops every row that is not read; leave out --limit 3',
  );
  expect(() => removedChoice({ removed: null, limit: 3 }, plansOf(null))).toThrow('--append without ids');
});

describe('an old output', () => {
  const open = (target: OutputTarget, removed: 'keep' | 'drop' = 'keep', options = {}) =>
    OldOutput.open(target, { removed, options: { ...OPTIONS, ...options } });

  test('that is a set of shards is refused, and not ignored', async () => {
    const target = await writeOutput([], someRows(0, 16));
    renameSync(target.path, target.path.replace('.parquet', '-00000-of-00001.parquet'));
    await expect(open(target)).rejects.toThrow('is a set of shards, to which --append cannot add');
  });

  test('that is an .npy of an earlier version is found', async () => {
    const vectors = someRows(3, 16);
    const target = await writeOutput(rowsOf(vectors), vectors, 'npy', true);
    expect((await open(target))?.header.rows).toBe(3);
  });

  test.each(['parquet', 'arrow', 'jsonl', 'npy'] as const)(
    'gives its vectors back byte for byte (%s)',
    async (format) => {
      const vectors = someRows(700, 16, [0, 5]);
      const target = await writeOutput(rowsOf(vectors), vectors, format);
      const old = await open(target, 'drop');
      if (old === null) throw new Error('there is no old output');
      const input = [...rowsOf(vectors).reverse(), row('new', 'a new text')];
      const folder = temporaryFolder();
      const spool = new RowSpool(join(folder, 'rows'), old);
      const fresh = await collect(spool.record(each(input.slice(0, 300), input.slice(300))));
      // Rows without a vector are tried again.
      expect(fresh.map(({ id }) => id)).toEqual([vectors.ids[5], vectors.ids[0], 'new']);
      expect(spool.counts).toEqual({ rows: 701, reused: 698, kept: 0 });

      await old.copyVectors(join(folder, 'old'));
      const run = { ids: ['', '', ''], dim: 16, vectors: new Float32Array(48).fill(0.25) };
      const merged = mergeRows(spool.read(), each({ ...run, present: Uint8Array.of(0, 1, 1) }), {
        path: join(folder, 'old'),
        dim: 16,
      });
      const found = new Map<string, Float32Array | null>();
      for await (const { ids, present, vectors: floats } of merged) {
        for (const [n, id] of ids.entries()) {
          found.set(id, present[n] === 1 ? floats.slice(n * 16, (n + 1) * 16) : null);
        }
      }
      for (const [n, id] of vectors.ids.entries()) {
        const expected = vectors.vectors.slice(n * 16, (n + 1) * 16);
        expect(found.get(id)).toEqual(n === 5 ? null : n === 0 ? run.vectors.slice(0, 16) : expected);
      }
      expect(found.get('new')).toEqual(run.vectors.slice(0, 16));
    },
  );

  test('keeps rows whose ids the input no longer has, but not those with another text', async () => {
    const vectors = someRows(6, 4, [4]);
    const target = await writeOutput(rowsOf(vectors), vectors);
    const old = await open(target);
    const spool = new RowSpool(join(temporaryFolder(), 'rows'), old);
    const [a, b, c, d, , f] = vectors.ids as string[];
    async function* input(): AsyncGenerator<(FieldsRow | KeptRow)[]> {
      yield [row(c ?? '', `text of ${c}`), row(a ?? '', 'changed')];
      yield* old?.keptRows({ renamed: new Map(), columns: [] }) ?? [];
    }
    const fresh = await collect(spool.record(input()));
    expect(fresh).toMatchObject([{ id: a, text: 'changed' }]);
    const ids: string[] = [];
    for await (const block of spool.read()) ids.push(...block.ids);
    // Row 4 has no vector, so there is nothing to keep.
    expect(ids).toEqual([c, a, b, d, f]);
    expect(spool.counts).toEqual({ rows: 5, reused: 1, kept: 3 });
  });

  test('without ids, rows have their numbers', async () => {
    const vectors = unitRows(3, 4);
    const given = ['one', 'two', 'three'].map((text) => row(null, text));
    const old = await open(await writeOutput(given, vectors), 'drop');
    const spool = new RowSpool(join(temporaryFolder(), 'rows'), old);
    const fresh = await collect(spool.record(each([row(null, 'zero'), ...given])));
    expect(fresh).toMatchObject([{ id: '1', text: 'zero' }]);
    for await (const { ids, oldRows } of spool.read()) {
      expect([ids, [...oldRows]]).toEqual([
        ['1', '2', '3', '4'],
        [0, 1, 2, 3],
      ]);
    }
  });

  test('is absent without a file', async () => {
    const vectors = unitRows(2, 4);
    const target = await writeOutput(rowsOf(vectors), vectors);
    expect(await open({ ...target, path: `${target.path}.other` })).toBe(null);
  });

  test.each([
    ['truncated', (path: string) => truncateSync(path, 100), 'does not match its row index'],
    [
      'without an index',
      (path: string) => writeFileSync(path, readFileSync(path)),
      /has no row index \.out\.parquet\.[0-9a-f]{16}\.rows: another program/,
    ],
    [
      'beside a damaged index',
      (path: string) => {
        const [index] = readdirSync(dirname(path)).filter((name) => name.endsWith('.rows'));
        const bytes = readFileSync(join(dirname(path), index!));
        writeFileSync(join(dirname(path), index!), bytes.fill(0x7b, 12, 40));
      },
      'does not match its row index',
    ],
  ])('is refused if it is %s', async (what, damage, message) => {
    const vectors = unitRows(20, 4);
    const target = await writeOutput(rowsOf(vectors), vectors);
    damage(target.path);
    if (what === 'without an index') await removeOldIndexes(target.path, '0'.repeat(64));
    await expect(open(target)).rejects.toThrow(message);
    await expect(open(target)).rejects.toThrow('replace --append by --overwrite');
  });

  test('is refused with other options, which the error names', async () => {
    const vectors = unitRows(2, 4);
    const target = await writeOutput(rowsOf(vectors), vectors);
    await expect(open(target, 'keep', { prompt: 'query: ' })).rejects.toThrow(
      '--prompt was not given, now it is query: ',
    );
    await expect(open(target, 'keep', { dtype: 'float16' })).rejects.toThrow(
      '--dtype was float32, now it is float16',
    );
  });
});

describe('a command that was killed while it published', () => {
  /** A work folder whose command had published the ids of two files. */
  async function killed(vectors: string): Promise<{ output: string; folder: WorkFolder }> {
    const cwd = temporaryFolder();
    const output = join(cwd, 'out.npy');
    const folder = new WorkFolder(output, {});
    await folder.create();
    writeFileSync(join(cwd, 'out.ids.jsonl'), 'new ids');
    writeFileSync(output, 'old vectors');
    writeFileSync(join(cwd, 'vectors.draft'), vectors);
    await folder.writeDrafts([
      { path: join(cwd, 'out.ids.jsonl'), draftPath: join(cwd, 'ids.draft'), bytes: 7 },
      { path: output, draftPath: join(cwd, 'vectors.draft'), bytes: 11 },
    ]);
    return { output, folder };
  }

  test('is completed', async () => {
    const { output, folder } = await killed('new vectors');
    await publishLeftDrafts(folder, toFiles(output));
    expect(readFileSync(output, 'utf8')).toBe('new vectors');
    expect(await folder.readDrafts()).toBe(null);
  });

  test('is not completed with a part of a draft', async () => {
    const { output, folder } = await killed('new vec');
    await publishLeftDrafts(folder, toFiles(output));
    expect(readFileSync(output, 'utf8')).toBe('old vectors');
    expect(await folder.readDrafts()).toBe(null);
  });
});

test('indexes of earlier versions are removed, other files are not', async () => {
  const vectors = unitRows(2, 4);
  const { path } = await writeOutput(rowsOf(vectors), vectors);
  const [mine = ''] = readdirSync(join(path, '..')).filter((name) => name.endsWith('.rows'));
  const sha256 = await hashOfFile(path, 0);
  const other = rowIndexPath(path, 'f'.repeat(64));
  const neighbour = rowIndexPath(`${path}.old`, 'f'.repeat(64));
  for (const file of [other, neighbour]) writeFileSync(file, '');
  await removeOldIndexes(path, sha256);
  expect([existsSync(join(path, '..', mine)), existsSync(other), existsSync(neighbour)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(await openRowIndex(neighbour)).toBe(null);
});

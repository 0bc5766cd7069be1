/** LanceDB tables, as written and read by the command and by LanceDB itself. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { VectorRows } from '@embedmill/contract';
import { type Column, type DataType, FORMATS } from '@embedmill/core/formats';
import { connect, type Table } from '@lancedb/lancedb';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadIntoStore } from '../../../apps/cli/src/io/stores/load.ts';
import { openStore, readStoreUrl } from '../../../apps/cli/src/io/stores/open.ts';
import { openVectors } from '../../../apps/cli/src/io/vectors/open.ts';
import { runProgram } from '../../../apps/cli/src/program.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { vectorFile } from '../../support/vector-file.ts';
import { collect, unitRows } from '../sinks/vectors.ts';

const { signal } = new AbortController();

/** Loads the rows into a table, as `embedmill load` does. */
function loadInto(path: string, rows: VectorRows) {
  return loadIntoStore({
    file: vectorFile(rows),
    open: (dim) => openStore({ url: readStoreUrl(path), table: 'unused', dim, signal }),
    batchRows: 500,
    onRows: () => {},
    onRetry: () => {},
    signal,
  });
}

/** A table as LanceDB opens it. */
async function openTable(folder: string, name: string): Promise<Table> {
  const database = await connect(folder);
  const table = await database.openTable(name);
  onTestFinished(() => {
    table.close();
    database.close();
  });
  return table;
}

describe('a LanceDB table', () => {
  test('holds the ids and the exact vectors of the rows with a vector', async () => {
    const folder = temporaryFolder();
    const rows = unitRows(40, 6, { absentEvery: 3 });
    const path = join(folder, 'reviews.lance');
    expect(await loadInto(path, rows)).toEqual({
      rows: 27,
      missing: 13,
      store: `LanceDB table ${JSON.stringify(path)}`,
    });
    const present = [...rows.ids.keys()].filter((row) => rows.present[row] === 1);
    const stored = await (await openTable(folder, 'reviews')).query().toArray();
    expect(stored.map(({ id, vector }) => ({ id, vector: [...vector] }))).toEqual(
      present.map((row) => ({ id: rows.ids[row], vector: [...rows.vectors.subarray(row * 6, row * 6 + 6)] })),
    );

    const file = await openVectors(path);
    expect(file.rows).toBe(27);
    const slices: VectorRows[] = [];
    for await (const slice of file.read()) slices.push(slice);
    expect(slices.flatMap(({ ids }) => ids)).toEqual(present.map((row) => rows.ids[row]));
    expect(slices.flatMap(({ vectors }) => [...vectors])).toEqual(
      present.flatMap((row) => [...rows.vectors.subarray(row * 6, row * 6 + 6)]),
    );
  });

  test('replaces rows by id when loaded again', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'reviews.lance');
    const [before, after] = [unitRows(30, 8, { seed: 1 }), unitRows(20, 8, { seed: 2 })];
    await loadInto(path, before);
    await loadInto(path, after);
    await loadInto(path, after);
    const stored = await (await openTable(folder, 'reviews')).query().toArray();
    const vectors = new Map(stored.map(({ id, vector }) => [id, [...vector]]));
    expect([stored.length, vectors.size]).toEqual([30, 30]);
    expect(vectors.get('row-19')).toEqual([...after.vectors.subarray(19 * 8)]);
    expect(vectors.get('row-20')).toEqual([...before.vectors.subarray(20 * 8, 21 * 8)]);
  });

  test('has a cosine index if it is large, which LanceDB can search', async () => {
    const folder = temporaryFolder();
    const rows = unitRows(6000, 16);
    await loadInto(join(folder, 'reviews.lance'), rows);
    const table = await openTable(folder, 'reviews');
    expect(await table.listIndices()).toEqual([
      expect.objectContaining({ indexType: 'IvfRq', columns: ['vector'], numUnindexedRows: 0 }),
    ]);
    const query = rows.vectors.slice(1234 * 16, 1235 * 16);
    const [first] = await table.vectorSearch(query).distanceType('cosine').refineFactor(5).limit(3).toArray();
    expect(first).toMatchObject({ id: 'row-1234', _distance: expect.closeTo(0, 5) });
  });

  test('keeps only the last version if created by the load; an existing table keeps its versions', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'reviews.lance');
    await loadInto(path, unitRows(30, 8));
    const made = await (await openTable(folder, 'reviews')).listVersions();
    expect(made).toHaveLength(1);
    await loadInto(path, unitRows(30, 8, { seed: 2 }));
    const versions = await (await openTable(folder, 'reviews')).listVersions();
    expect(versions.map(({ version }) => version)).toContain(made[0]!.version);
  });

  test('with other columns or another dimension is rejected and left unchanged', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'reviews.lance');
    await loadInto(path, unitRows(3, 4));
    await expect(loadInto(path, unitRows(3, 8))).rejects.toMatchObject({
      code: 'store-refused',
      message: expect.stringContaining('"vector" (FixedSizeList[4]<Float32>); expected'),
    });
    const database = await connect(folder);
    onTestFinished(() => database.close());
    await database.createTable('other', [{ sku: 1, emb: [1, 2] }]);
    await expect(openVectors(join(folder, 'other.lance'))).rejects.toThrow(
      'has no column "vector" of fixed-size lists of floats; its columns are "sku" (Float64), "emb"',
    );
    expect((await openVectors(path)).rows).toBe(3);
  });
});

/** Runs `embedmill load` in this process. */
async function runLoad(vectors: string, to: string): Promise<{ code: number; output: string }> {
  let output = '';
  const stream = { write: (text: string) => (output += text) } as unknown as NodeJS.WriteStream;
  const context = { environment: {}, stdin: new PassThrough(), stdout: stream, stderr: stream };
  return { code: await runProgram(['node', 'embedmill', 'load', vectors, '--to', to], context), output };
}

/** Writes a Parquet file of unit rows with one column per entry. */
async function writeParquet(path: string, columns: Record<string, [DataType, unknown[]]>): Promise<string> {
  const entries = Object.entries(columns);
  const rows = entries[0]?.[1][1].length ?? 0;
  const slice = { ...unitRows(rows, 4), columns: entries.map(([, [, values]]) => values) };
  async function* slices() {
    yield slice;
  }
  const types = entries.map(([name, [type]]) => ({ name, type }));
  const bytes = FORMATS.parquet.encode(slices(), { rows, dim: 4 }, { columns: types });
  writeFileSync(path, Buffer.concat(await collect(bytes)));
  return path;
}

/** The rows and columns of a table, as `embed` reads them. */
async function readTable(path: string): Promise<{ columns: readonly Column[]; rows: unknown[][] }> {
  const file = await openVectors(path);
  let columns: readonly Column[] = [];
  const rows: unknown[][] = [];
  for await (const slice of file.readColumns()) {
    if ('objects' in slice) throw new Error('expected typed columns');
    columns = slice.columns;
    for (const n of slice.ids.keys()) rows.push(slice.values.map((column) => column[n]));
  }
  return { columns, rows };
}

const INT64: DataType = { kind: 'integer', bits: 64, signed: true };
const STRING: DataType = { kind: 'string' };

/** A column of each kind. */
const TYPED: Record<string, [DataType, unknown[]]> = {
  text: [STRING, ['one', 'two', null]],
  stars: [INT64, [9_007_199_254_740_993n, null, -1n]],
  small: [{ kind: 'integer', bits: 16, signed: true }, [1, 2, null]],
  weight: [{ kind: 'float', bits: 64 }, [0.1, null, 3]],
  price: [{ kind: 'decimal', precision: 20, scale: 2 }, [123_456_789_012_345_678n, -5n, null]],
  sold: [{ kind: 'boolean' }, [true, false, null]],
  raw: [{ kind: 'binary' }, [Buffer.from([0, 255]), null, Buffer.alloc(0)]],
  day: [{ kind: 'date' }, [20_000, -1, null]],
  at: [{ kind: 'timestamp', unit: 'us', utc: true }, [1_700_000_000_123_456n, null, 0n]],
  tags: [{ kind: 'list', item: STRING }, [['a', null], [], null]],
  shop: [
    { kind: 'struct', fields: [{ name: 'city', type: STRING }] },
    [{ city: 'Zug' }, { city: null }, null],
  ],
};

describe('embedmill load into a LanceDB table', () => {
  test('keeps the columns of the file with their types, also when repeated', async () => {
    const folder = temporaryFolder();
    const vectors = await writeParquet(join(folder, 'vectors.parquet'), TYPED);
    const to = join(folder, 'reviews.lance');
    for (let time = 0; time < 2; time++) {
      expect(await runLoad(vectors, to)).toMatchObject({ code: 0 });
      const { columns, rows } = await readTable(to);
      expect(columns).toEqual(Object.entries(TYPED).map(([name, [type]]) => ({ name, type })));
      // A list of bytes equals a buffer in no other way.
      const plain = (value: unknown) => (value instanceof Uint8Array ? [...value] : value);
      expect(rows.map((row) => row.map(plain))).toEqual(
        [0, 1, 2].map((n) => Object.values(TYPED).map(([, values]) => plain(values[n]))),
      );
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('replaces rows of an existing table with these columns, in types that hold the values', async () => {
    const folder = temporaryFolder();
    const to = join(folder, 'reviews.lance');
    await runLoad(
      await writeParquet(join(folder, 'a.parquet'), { text: [STRING, ['a', 'b']], stars: [INT64, [1n, 2n]] }),
      to,
    );
    // JSON lines show no type for the text.
    const newer = join(folder, 'b.jsonl');
    writeFileSync(newer, '{"id":"row-0","stars":7,"vector":[0,0,0,1],"text":null}\n');
    expect((await runLoad(newer, to)).code).toBe(0);
    const small: DataType = { kind: 'integer', bits: 16, signed: true };
    const third = await writeParquet(join(folder, 'c.parquet'), {
      stars: [small, [8, 9, 10]],
      text: [STRING, ['c', 'd', 'e']],
    });
    expect((await readTable(to)).rows.map(String).sort()).toEqual([',7', 'b,2']);
    expect((await runLoad(third, to)).code).toBe(0);
    expect((await readTable(to)).rows.map(String).sort()).toEqual(['c,8', 'd,9', 'e,10']);
  });

  test('leaves out columns that an existing table lacks, and says so', async () => {
    const folder = temporaryFolder();
    const to = join(folder, 'reviews.lance');
    const database = await connect(folder);
    // As tables of earlier versions.
    await database.createTable('reviews', [{ id: 'row-0', vector: Float32Array.from([1, 0, 0, 0]) }]);
    database.close();
    const vectors = await writeParquet(join(folder, 'vectors.parquet'), { text: [STRING, ['a', 'b']] });
    const { code, output } = await runLoad(vectors, to);
    expect([code, (await openVectors(to)).rows]).toEqual([0, 2]);
    expect(output).toContain('exists without the columns "text", which are left out');
  });

  test('is refused by an existing table with other columns or types, which stays as it is', async () => {
    const folder = temporaryFolder();
    const to = join(folder, 'reviews.lance');
    await runLoad(await writeParquet(join(folder, 'a.parquet'), { stars: [INT64, [1n]] }), to);
    const text = await writeParquet(join(folder, 'b.parquet'), { stars: [STRING, ['many']] });
    const other = await writeParquet(join(folder, 'c.parquet'), { text: [STRING, ['many']] });
    expect((await runLoad(text, to)).output).toContain('expected "stars" to hold values of the type string');
    expect((await runLoad(other, to)).output).toContain(
      'expected only columns that the file has: "id", "text", "vector"',
    );
    expect((await readTable(to)).rows).toEqual([[1n]]);
  });
});

test('a folder that is not a LanceDB table is rejected', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'reviews.lance'));
  writeFileSync(join(folder, 'reviews.lance', 'notes.txt'), '');
  await expect(openVectors(join(folder, 'reviews.lance'))).rejects.toThrow(
    'reviews.lance" is not a LanceDB table',
  );
});

test('a missing folder is reported before anything is read', () => {
  const folder = temporaryFolder();
  expect(readStoreUrl(join(folder, 'a b.lance'))).toEqual(pathToFileURL(join(folder, 'a b.lance')));
  expect(() => readStoreUrl(join(folder, 'none', 'reviews.lance'))).toThrow(/there is no folder ".*none"/);
});

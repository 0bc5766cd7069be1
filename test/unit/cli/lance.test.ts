/** LanceDB tables, as written and read by the command and by LanceDB itself. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { VectorRows } from '@embedmill/contract';
import { connect, type Table } from '@lancedb/lancedb';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadIntoStore } from '../../../apps/cli/src/io/stores/load.ts';
import { openStore, readStoreUrl } from '../../../apps/cli/src/io/stores/open.ts';
import { openVectors } from '../../../apps/cli/src/io/vectors/open.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { vectorFile } from '../../support/vector-file.ts';
import { unitRows } from '../sinks/vectors.ts';

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

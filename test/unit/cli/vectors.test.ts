/** Reading vector files of our own encoders and of other programs. */

import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { VectorRows } from '@embedmill/contract';
import { type EncodeOptions, encodeIds, FORMATS } from '@embedmill/core/formats';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { openVectors } from '../../../apps/cli/src/io/vectors/open.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { collect, encodeChunks, sliceAt, unitRows } from '../sinks/vectors.ts';

/** Writes the rows as a file of this format; an .npy gets its ids file. */
async function write(
  format: keyof typeof FORMATS,
  rows: VectorRows,
  options: EncodeOptions,
): Promise<string> {
  const path = join(temporaryFolder(), `vectors.${format}`);
  writeFileSync(path, Buffer.concat(await encodeChunks(FORMATS[format], rows, options)));
  if (format === 'npy') {
    const ids = Buffer.concat(await collect(encodeIds(sliceAt(rows, []))));
    writeFileSync(path.replace(/npy$/, 'ids.jsonl'), ids);
  }
  return path;
}

/** Everything in a file. */
async function readAll(path: string): Promise<{ ids: string[]; vectors: (number[] | null)[] }> {
  const all = { ids: [] as string[], vectors: [] as (number[] | null)[] };
  const file = await openVectors(path);
  for await (const { ids, dim, vectors, present } of file.read()) {
    all.ids.push(...ids);
    for (let row = 0; row < ids.length; row++) {
      all.vectors.push(present[row] === 1 ? [...vectors.subarray(row * dim, (row + 1) * dim)] : null);
    }
  }
  return all;
}

/** What `readAll` gives for rows that are read back unchanged. */
function asRead({ ids, dim, vectors, present }: VectorRows): Awaited<ReturnType<typeof readAll>> {
  return {
    ids: [...ids],
    vectors: ids.map((_, row) =>
      present[row] === 1 ? [...vectors.subarray(row * dim, (row + 1) * dim)] : null,
    ),
  };
}

/** Runs SQL in which FILE is the path of a file to be written. */
async function writeWithDuckDb(path: string, sql: string): Promise<void> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(sql.replaceAll('FILE', `'${path}'`));
  connection.closeSync();
  database.closeSync();
}

describe.each([
  ['npy', 'float'],
  ['jsonl', 'float'],
  ['jsonl', 'base64'],
  ['parquet', 'float'],
  ['arrow', 'float'],
] as const)('a file of %s (encoding %s)', (format, encoding) => {
  test.each([
    ['a few rows', unitRows(5, 3)],
    ['rows without a vector', unitRows(40, 6, { absentEvery: 3 })],
  ])('returns the ids and exact vectors of %s', async (_, rows) => {
    expect(await readAll(await write(format, rows, { encoding }))).toEqual(asRead(rows));
  });

  test.each([
    ['float16', 0.0005],
    ['int8', 0.004],
  ] as const)('with %s is read back to within its precision', async (dtype, tolerance) => {
    const rows = unitRows(3000, 16, { absentEvery: 4 });
    const { ids, vectors } = await readAll(await write(format, rows, { encoding, dtype }));
    expect(ids).toEqual(rows.ids);
    expect(vectors.map((vector) => vector === null)).toEqual([...rows.present].map((mark) => mark === 0));
    const off = vectors.flatMap((vector, row) =>
      (vector ?? []).map((value, i) => Math.abs(value - rows.vectors[row * 16 + i]!)),
    );
    expect(off.filter((by) => by >= tolerance)).toEqual([]);
  });

  test('is read in several slices if large', async () => {
    const rows = unitRows(2100, 1024, { absentEvery: 7 });
    const file = await openVectors(await write(format, rows, { encoding }));
    const slices: VectorRows[] = [];
    for await (const slice of file.read()) slices.push(slice);
    expect(slices.map(({ ids }) => ids.length)).toEqual([2048, 52]);
    expect(slices.flatMap(({ ids }) => ids)).toEqual(rows.ids);
    expect(Buffer.concat(slices.map(({ present }) => present)).equals(rows.present)).toBe(true);
    const bytes = slices.map(
      ({ vectors }) => new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength),
    );
    expect(Buffer.concat(bytes).equals(new Uint8Array(rows.vectors.buffer))).toBe(true);
  });
});

describe('parquet', () => {
  test('of another program is read, and its vectors are normalized', async () => {
    const path = join(temporaryFolder(), 'other.parquet');
    await writeWithDuckDb(
      path,
      'COPY (SELECT * FROM (VALUES (7, [3.0::FLOAT, 4.0]), (8, NULL)) t(id, vector)) TO FILE (FORMAT parquet)',
    );
    expect(await readAll(path)).toEqual({
      ids: ['7', '8'],
      vectors: [[expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)], null],
    });
  });

  test('without a column "vector" is rejected with a list of its columns', async () => {
    const path = join(temporaryFolder(), 'other.parquet');
    await writeWithDuckDb(path, 'COPY (SELECT 1 AS sku, [1.0] AS emb) TO FILE (FORMAT parquet)');
    await expect(openVectors(path)).rejects.toThrow('no column "vector"; its columns are "sku", "emb"');
  });
});

describe('arrow', () => {
  test('without such a column is rejected with a list of its columns', async () => {
    const path = join(temporaryFolder(), 'other.arrow');
    writeFileSync(path, tableToIPC(tableFromArrays({ emb: Float32Array.of(1, 2) }), 'file'));
    await expect(openVectors(path)).rejects.toThrow('its columns are "emb" (Float32)');
  });
});

test('rows after a Parquet row group without a vector keep their numbers', async () => {
  const path = join(temporaryFolder(), 'groups.parquet');
  // DuckDB writes row groups of at least 2,048 rows.
  await writeWithDuckDb(
    path,
    `COPY (SELECT n::VARCHAR AS id, CASE WHEN n // 2048 IN (1, 3) THEN [0.6, 0.8]::FLOAT[] END AS vector
           FROM range(10240) AS rows(n) ORDER BY n) TO FILE (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
  );
  const { ids, vectors } = await readAll(path);
  expect(ids).toEqual(Array.from({ length: 10_240 }, (_, n) => String(n)));
  const present = vectors.flatMap((vector, row) => (vector === null ? [] : [row]));
  expect([present.length, present[0], present.at(-1)]).toEqual([4096, 2048, 8191]);
});

test.each(['jsonl', 'parquet', 'arrow'] as const)(
  'columns called scale and dtype are told from those of int8 vectors in .%s files',
  async (format) => {
    const columns = ['scale', 'dtype'].map((name) => ({ name, type: { kind: 'string' } as const }));
    const rows = { ...unitRows(1, 3), columns: [['large'], ['x']] };
    async function* slices() {
      yield rows;
    }
    const namesIn = async (options: EncodeOptions) => {
      const bytes = await collect(FORMATS[format].encode(slices(), { rows: 1, dim: 3 }, options));
      const path = join(temporaryFolder(), `vectors.${format}`);
      writeFileSync(path, Buffer.concat(bytes));
      const file = await openVectors(path);
      for await (const slice of file.readColumns()) {
        return 'objects' in slice
          ? Object.keys(slice.objects[0] ?? {})
          : slice.columns.map(({ name }) => name);
      }
      return null;
    };
    expect((await namesIn({ columns }))?.toSorted()).toEqual(['dtype', 'scale']);
    expect(await namesIn({ dtype: 'int8' })).toEqual([]);
    expect(await namesIn({ dtype: 'int8', encoding: 'base64' })).toEqual([]);
  },
);

test.each(['jsonl', 'npy'] as const)('texts with U+2028 do not end a line of .%s files', async (format) => {
  const rows = unitRows(2, 3);
  const path = await write(format, { ...rows, ids: ['line\u2028end', 'b'] }, {});
  expect((await readAll(path)).ids).toEqual(['line\u2028end', 'b']);
});

test('an .npy without an ids file numbers its rows from 1', async () => {
  const path = join(temporaryFolder(), 'vectors.npy');
  writeFileSync(path, Buffer.concat(await encodeChunks(FORMATS.npy, unitRows(3, 2))));
  expect((await readAll(path)).ids).toEqual(['1', '2', '3']);
});

describe('an invalid file', () => {
  test.each([
    ['v.npy', 'not a matrix', 'is not a .npy file'],
    [
      'v.npy',
      Buffer.from(
        "\x93NUMPY\x01\x00\x40\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
        'latin1',
      ),
      "'<f8'",
    ],
    [
      'v.npy',
      Buffer.from(
        "\x93NUMPY\x01\x00\x40\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
        'latin1',
      ),
      'expected 90',
    ],
    ['v.parquet', 'not a table at all', 'cannot be read as Parquet'],
    ['v.arrow', 'not a table at all', 'cannot be read as Arrow'],
    ['v.bin', '', 'must end in .npy, .jsonl, .parquet, .arrow or .lance'],
    ['v.jsonl', '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[1]}\n', 'v.jsonl:2 has 1 floats; expected 2'],
    ['v.jsonl', '{"id":"a","text":"words"}\n', 'v.jsonl:1 has the "vector" undefined'],
    ['v.jsonl', 'words\n', 'v.jsonl:1 is not JSON: "words"'],
    ['v.jsonl', '{"id":"a","vector":null}\n', 'has no line with a "vector"'],
  ])('%s is rejected: %#', async (name, contents, words) => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, contents);
    const read = readAll(path).catch((error) => {
      throw new Error(error.message.replaceAll(path, basename(path)));
    });
    await expect(read).rejects.toThrow(words);
  });
});

/** Tests Parquet files with DuckDB: types, nulls, row groups, and the cosine in SQL. */

import type { VectorRows } from '@embedmill/contract';
import { type EncodeOptions, MAX_CHUNK_BYTES, parquet } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { queryParquet } from './duck.ts';
import { encodeChunks, makeRows } from './vectors.ts';

async function encode(
  rows: VectorRows,
  cuts: readonly number[] = [],
  options: EncodeOptions = {},
): Promise<Buffer> {
  return Buffer.concat(await encodeChunks(parquet, rows, { ...options, cuts }));
}

function cosine(rows: VectorRows, a: number, b: number): number {
  const vector = (row: number) => rows.vectors.subarray(row * rows.dim, (row + 1) * rows.dim);
  const dot = (left: Float32Array, right: Float32Array) =>
    left.reduce((sum, value, n) => sum + value * (right[n] ?? 0), 0);
  return dot(vector(a), vector(b)) / Math.sqrt(dot(vector(a), vector(a)) * dot(vector(b), vector(b)));
}

describe('parquet', () => {
  test.each([
    ['float32', ['vector', 'FLOAT[]']],
    // DuckDB has no halves and reads them as floats.
    ['float16', ['vector', 'FLOAT[]']],
    ['int8', ['vector', 'TINYINT[]'], ['scale', 'FLOAT']],
  ] as const)('of %s has an id column of text and a vector column of lists', async (dtype, ...others) => {
    const columns = await queryParquet(
      await encode(makeRows(3, 4), [], { dtype }),
      'DESCRIBE SELECT * FROM FILE',
    );
    expect(columns.map(({ column_name, column_type }) => [column_name, column_type])).toEqual([
      ['id', 'VARCHAR'],
      ...others,
    ]);
  });

  test('of int8 takes one byte per number and one scale per row, plus a small overhead', async () => {
    const rows = makeRows(3000, 384);
    const { length } = await encode(rows, [], { dtype: 'int8' });
    const ids = rows.ids.reduce((sum, id) => sum + id.length + 4, 0);
    // The levels of a row are two runs of two or three bytes, as for floats.
    const needed = 3000 * (384 + 4 + 5) + ids;
    expect(length).toBeGreaterThanOrEqual(needed);
    expect(length).toBeLessThan(needed + 4096);
  });

  test('of int8 gives the cosine of two rows in SQL, without the scales', async () => {
    const rows = makeRows(500, 384);
    const [answer] = await queryParquet(
      await encode(rows, [], { dtype: 'int8' }),
      `SELECT list_cosine_similarity(a.vector::FLOAT[], b.vector::FLOAT[]) AS cosine
       FROM FILE a, FILE b WHERE a.id = 'row-3' AND b.id = 'row-444'`,
    );
    expect(answer?.cosine).toBeCloseTo(cosine(rows, 3, 444), 2);
  });

  test('gives the cosine of two rows in SQL', async () => {
    const rows = makeRows(500, 384);
    const [answer] = await queryParquet(
      await encode(rows),
      `SELECT list_cosine_similarity(a.vector, b.vector) AS cosine
       FROM FILE a, FILE b WHERE a.id = 'row-3' AND b.id = 'row-444'`,
    );
    expect(answer?.cosine).toBeCloseTo(cosine(rows, 3, 444), 5);
  });

  // list_cosine_similarity fails on a scan of any Parquet file with null lists, including those of DuckDB.
  test('gives the cosine of all rows with a vector, as arrays', async () => {
    const rows = makeRows(500, 384, { absentEvery: 10 });
    const answer = await queryParquet(
      await encode(rows),
      `WITH q AS (SELECT vector::FLOAT[384] AS v FROM FILE WHERE id = 'row-3')
       SELECT id, array_cosine_similarity(vector::FLOAT[384], v) AS cosine FROM FILE, q ORDER BY id`,
    );
    expect(answer.filter((row) => row.cosine === null)).toHaveLength(50);
    expect(answer.find((row) => row.id === 'row-444')?.cosine).toBeCloseTo(cosine(rows, 3, 444), 5);
  });

  test('finds ids by the statistics of row groups of 8 MiB', async () => {
    const groups = await queryParquet(
      await encode(makeRows(5000, 1024, { absentEvery: 3 })),
      `SELECT DISTINCT row_group_id AS id, row_group_num_rows AS rows FROM parquet_metadata(FILE) ORDER BY id`,
    );
    expect(groups.map(({ rows }) => Number(rows))).toEqual([2048, 2048, 904]);
  });

  test('is the same when slices end inside pages and row groups', async () => {
    const rows = makeRows(14, 300_000, { absentEvery: 5 });
    expect(rows.dim * 4).toBeGreaterThan(MAX_CHUNK_BYTES);
    const whole = await encode(rows);
    expect((await encode(rows, [1, 1, 6, 8, 13])).equals(whole)).toBe(true);
    const [answer] = await queryParquet(
      whole,
      'SELECT count(*)::INT AS rows, count(vector)::INT AS vectors FROM FILE',
    );
    expect(answer).toEqual({ rows: 14, vectors: 12 });
  });
});

/** Parquet files written by DuckDB, as tables, and their columns in files of vectors. */

import { openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { duckdb, EVERY_TYPE, encodeTable, openTestTable, readAll, TYPED_ROWS } from './files.ts';

/** Writes the result of a query; returns its path. */
async function writeParquet(query: string, options: string): Promise<string> {
  const path = join(temporaryFolder(), 'in.parquet');
  await duckdb(`COPY (${query}) TO '${path}' (FORMAT parquet, ${options})`);
  return path;
}

describe('a column of every type', () => {
  test.each([
    ['uncompressed', 'V1'],
    ['snappy', 'V2'],
    ['gzip', 'V1'],
    ['brotli', 'V2'],
    ['zstd', 'V1'],
    ['zstd', 'V2'],
    ['lz4', 'V1'],
  ])('goes from Parquet with %s, version %s, to Parquet unchanged, for DuckDB', async (codec, version) => {
    const path = await writeParquet(
      EVERY_TYPE,
      `COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048`,
    );
    const output = `${path}.out.parquet`;
    writeFileSync(output, await encodeTable(await openTestTable(path), 'parquet'));
    const copied = `SELECT * EXCLUDE (id, vector) FROM '${output}'`;
    expect(await duckdb(`SELECT count(*) FROM (${copied})`)).toEqual([[String(TYPED_ROWS)]]);
    const described = await duckdb(`DESCRIBE SELECT * FROM '${path}'`);
    expect(await duckdb(`DESCRIBE ${copied}`)).toEqual(described);
    for (const [name] of described) {
      const differing = `FROM '${path}' a JOIN '${output}' b USING (key) WHERE a.${name} IS DISTINCT FROM b.${name}`;
      expect([name, await duckdb(`SELECT a.${name}, b.${name} ${differing} LIMIT 2`)]).toEqual([name, []]);
    }
  });

  test('goes from Parquet to Arrow and from there to Parquet unchanged, for DuckDB', async () => {
    const path = await writeParquet(EVERY_TYPE, 'COMPRESSION zstd');
    const table = await openTestTable(path);
    const arrow = `${path}.arrow`;
    writeFileSync(arrow, await encodeTable(table, 'arrow'));
    const fromArrow = await openTestTable(arrow);
    const names = table.columns.map(({ name }) => name);
    const copied = fromArrow.columns.filter(({ name }) => names.includes(name));
    expect(copied).toEqual(table.columns);
    expect(await readAll(fromArrow, names)).toEqual(await readAll(table));
  });

  test('goes to JSON lines with all digits, in ISO 8601 and base64', async () => {
    const path = await writeParquet(`${EVERY_TYPE} WHERE i = 7`, 'COMPRESSION zstd');
    const line = (await encodeTable(await openTestTable(path), 'jsonl')).toString();
    expect(line).toContain('"i64":9223372036854775800,');
    expect(line).toContain('"u64":18446744073709551608,');
    expect(line).toContain('"dec9":-0.93,');
    expect(line).toContain('"dec38":-7000000000000000000.0000,');
    expect(JSON.parse(line)).toMatchObject({
      key: 7,
      shop: 'shop7',
      flag: false,
      day: '1950-01-08',
      clock: '00:00:07',
      at: '1969-12-31T23:00:07.000001',
      at_utc: '1969-12-31T23:00:07.000001Z',
      at_ns: '1970-01-01T00:00:00.123456007',
      numbers: [0, 1],
      lists: [['a', null, 'b7'], []],
      review: { text: 'nested 7', stars: 1, tags: ['x', null] },
      parts: [{ name: 'part 7', price: 10.5 }],
    });
  });
});

describe('reading', () => {
  test('gives only the columns that are asked for, in that order', async () => {
    const table = await openTestTable(await writeParquet(EVERY_TYPE, 'COMPRESSION zstd'));
    const [text, key] = await readAll(table, ['text', 'key']);
    expect([text?.[1], key?.[4_999]]).toEqual(['row 1 ü 漢字 x', 4_999n]);
  });

  test('gives maps as objects, and dates that JavaScript has no Date for', async () => {
    const query = `SELECT MAP {'a': 1, 'b': 2} AS map, DATE '9999-12-31' + 300000 AS day`;
    const table = await openTestTable(await writeParquet(query, 'COMPRESSION zstd'));
    expect(table.columns.map(({ type }) => type.kind)).toEqual(['json', 'date']);
    expect(await readAll(table)).toEqual([[{ a: 1, b: 2 }], [3_232_896]]);
  });

  test('takes the slices of one large row group page by page', async () => {
    const query = `SELECT i AS key, 'text ' || i AS text FROM range(100000) t(i)`;
    const table = await openTestTable(await writeParquet(query, 'ROW_GROUP_SIZE 200000'));
    let [rows, largest] = [0, 0];
    for await (const slice of table.read()) {
      expect(slice.values.map((values) => values.length)).toEqual([slice.rows, slice.rows]);
      rows += slice.rows;
      largest = Math.max(largest, slice.rows);
    }
    expect([rows, largest <= 1_024]).toEqual([100_000, true]);
  });

  test('reports its progress up to the end', async () => {
    const table = await openTestTable(await writeParquet(EVERY_TYPE, 'COMPRESSION zstd'));
    const fractions: number[] = [];
    for await (const _ of table.read({ onFraction: (fraction) => fractions.push(fraction) }));
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  test('a file without rows has none', async () => {
    const table = await openTestTable(await writeParquet(`${EVERY_TYPE} WHERE i < 0`, 'COMPRESSION zstd'));
    expect(table.rows).toBe(0);
    expect((await readAll(table)).flat()).toEqual([]);
  });

  test('a file that ends early is refused when it is opened', async () => {
    const path = await writeParquet(EVERY_TYPE, 'COMPRESSION zstd');
    truncateSync(path, statSync(path).size - 100);
    await expect(openTestTable(path)).rejects.toMatchObject({ code: 'corrupt-parquet' });
  });

  test('a damaged page is refused when it is read', async () => {
    const path = await writeParquet(EVERY_TYPE, 'COMPRESSION zstd');
    const table = await openTestTable(path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(20_000, 0xa5), 0, 20_000, 4);
    await expect(readAll(table)).rejects.toMatchObject({ code: 'corrupt-parquet' });
  });
});

test('a row group ends before its columns take more than 32 MiB', async () => {
  const path = await writeParquet(
    `SELECT i AS key, repeat('x', 1000000) AS text FROM range(100) t(i)`,
    'COMPRESSION zstd',
  );
  const output = `${path}.out.parquet`;
  writeFileSync(output, await encodeTable(await openTestTable(path), 'parquet'));
  const groups = await duckdb(
    `SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('${output}') ORDER BY 1`,
  );
  expect(groups.map(([, rows]) => Number(rows))).toEqual([34, 34, 32]);
  expect(readFileSync(output).length).toBeGreaterThan(1_000);
});

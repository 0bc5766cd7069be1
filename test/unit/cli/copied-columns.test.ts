/** Columns of the input in the .csv outputs of `dedupe` and `cluster`, read back by DuckDB. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Column, ColumnValues, OutputRows } from '@embedmill/core/formats';
import { encodeIds, FORMATS } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../../apps/cli/src/program.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { collect } from '../sinks/vectors.ts';

const COLUMNS: Column[] = [
  { name: 'text', type: { kind: 'string' } },
  { name: 'topic', type: { kind: 'string' } },
  { name: 'stars', type: { kind: 'integer', bits: 64, signed: true } },
  { name: 'price', type: { kind: 'decimal', precision: 20, scale: 2 } },
  { name: 'weight', type: { kind: 'float', bits: 64 } },
  { name: 'sold', type: { kind: 'boolean' } },
  { name: 'day', type: { kind: 'date' } },
  { name: 'at', type: { kind: 'timestamp', unit: 'us', utc: false } },
  { name: 'tags', type: { kind: 'list', item: { kind: 'integer', bits: 64, signed: true } } },
  {
    name: 'shop',
    type: { kind: 'struct', fields: [{ name: 'city', type: { kind: 'string' } }] },
  },
];

/** One array per column; the second row has no vector. */
const VALUES: ColumnValues = [
  ['a "quoted", text\nof two lines', 'none', 'carriage\rreturn\u2028', 'ünïcödé; |'],
  ['x', 'y', 'z', ''],
  [9_007_199_254_740_993n, 1n, -2n, null],
  [1_234_567_890_123_456_789n, 5n, -5n, null],
  [-1.5e-7, 1, 2.5, null],
  [true, false, false, null],
  [20_000, 0, -1, null],
  [1_700_000_000_123_456n, 0n, -1_000_000n, null],
  [[1n, 9_007_199_254_740_993n], [], [], null],
  [{ city: 'São "P"' }, null, { city: null }, null],
];

const ROWS: OutputRows = {
  ids: ['001', '002', '003', '004'],
  dim: 2,
  vectors: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 1]),
  present: Uint8Array.from([1, 0, 1, 1]),
  columns: VALUES,
};

type VectorFormat = keyof typeof FORMATS;

async function* one(rows: OutputRows): AsyncGenerator<OutputRows> {
  yield rows;
}

/** Writes a vector file, as `embed` does. */
async function writeVectors(folder: string, format: VectorFormat, columns = COLUMNS): Promise<string> {
  const path = join(folder, `vectors.${format}`);
  const chunks = FORMATS[format].encode(one(ROWS), { rows: 4, dim: 2 }, { columns });
  writeFileSync(path, Buffer.concat(await collect(chunks)));
  if (format === 'npy') {
    writeFileSync(
      path.replace(/npy$/, 'ids.jsonl'),
      Buffer.concat(await collect(encodeIds(one(ROWS), columns))),
    );
  }
  return path;
}

/** Runs the command in this process. */
async function run(...args: string[]): Promise<{ code: number; output: string }> {
  let output = '';
  const stream = { write: (text: string) => (output += text) } as unknown as NodeJS.WriteStream;
  const context = { environment: {}, stdin: new PassThrough(), stdout: stream, stderr: stream };
  return { code: await runProgram(['node', 'embedmill', ...args, '--quiet'], context), output };
}

/** Rows of a query in which FILE reads the .csv, with the types that DuckDB finds. */
async function query(path: string, sql: string): Promise<Record<string, unknown>[]> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const found = await connection.runAndReadAll(
      sql.replaceAll('FILE', `read_csv('${path}', all_varchar = false)`),
    );
    return found.getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

describe.each<VectorFormat>(['parquet', 'arrow', 'jsonl', 'npy'])('from .%s', (format) => {
  test('cluster copies all columns once, and DuckDB reads their values', async () => {
    const folder = temporaryFolder();
    const [vectors, to] = [await writeVectors(folder, format), join(folder, 'topics.csv')];
    expect(await run('cluster', vectors, '--to', to, '--k', '2')).toMatchObject({ code: 0 });
    const header = 'id,topic,group,score,text,topic_1,stars,price,weight,sold,day,at,tags,shop\n';
    expect(readFileSync(to, 'utf8').startsWith(header)).toBe(true);
    const rows = await query(
      to,
      `SELECT *, tags::JSON::BIGINT[] AS numbers, shop::JSON->>'city' AS city FROM FILE ORDER BY id`,
    );
    expect(rows).toMatchObject([
      {
        text: 'a "quoted", text\nof two lines',
        topic_1: 'x',
        stars: '9007199254740993',
        weight: -1.5e-7,
        sold: true,
        day: '2024-10-04',
        at: '2023-11-14 22:13:20.123456',
        numbers: ['1', '9007199254740993'],
        city: 'São "P"',
      },
      { text: 'carriage\rreturn\u2028', stars: '-2', sold: false, numbers: [], city: null },
      { text: 'ünïcödé; |', topic_1: null, stars: null, price: null, tags: null, shop: null },
    ]);
    // JSON has floats instead of decimals.
    const price = format === 'parquet' || format === 'arrow' ? '12345678901234567.89' : '12345678901234568';
    expect(readFileSync(to, 'utf8')).toContain(`,${price},`);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

test('cluster counts the rows of topics by value and over time', async () => {
  const folder = temporaryFolder();
  const [vectors, to] = [await writeVectors(folder, 'parquet'), join(folder, 'topics.csv')];
  const cluster = (...more: string[]) => run('cluster', vectors, '--to', to, '--k', '1', ...more);
  expect((await cluster('--by', 'sold', '--over', 'day')).code).toBe(0);
  expect(readFileSync(join(folder, 'topics.by.csv'), 'utf8')).toBe(
    'sold,topic,rows,share_of_value,share_of_topic\n' +
      ',0,1,1.0000,0.3333\nfalse,0,1,1.0000,0.3333\ntrue,0,1,1.0000,0.3333\n',
  );
  // The row without a day is left out.
  expect(readFileSync(join(folder, 'topics.over.csv'), 'utf8')).toBe(
    'day,topic,rows,share_of_value,share_of_topic\n' +
      '1969-12-31,0,1,1.0000,0.5000\n2024-10-04,0,1,1.0000,0.5000\n',
  );
  expect(await cluster('--by', 'sku')).toMatchObject({
    code: 2,
    output: expect.stringContaining('--by names "sku"; the copied columns are "text", "topic_1", "stars"'),
  });
  expect(await cluster('--over', 'stars')).toMatchObject({
    code: 2,
    output: expect.stringContaining(
      'found no date; expected values such as 2026-11-28, got "9007199254740993"',
    ),
  });
});

test('dedupe copies the columns of duplicates', async () => {
  const folder = temporaryFolder();
  const [vectors, to] = [await writeVectors(folder, 'npy'), join(folder, 'same.csv')];
  expect(await run('dedupe', vectors, '--to', to, '--columns', 'stars,tags')).toMatchObject({ code: 0 });
  expect(readFileSync(to, 'utf8')).toBe(
    'group,id,keep,cosine,row,stars,tags\n' +
      '0,001,yes,1.0000,1,9007199254740993,"[1,9007199254740993]"\n0,003,no,1.0000,3,-2,[]\n',
  );
});

test('files without columns take those of --texts, matched as their texts are', async () => {
  const folder = temporaryFolder();
  const vectors = await writeVectors(folder, 'parquet', []);
  const texts = join(folder, 'in.csv');
  writeFileSync(texts, 'id,text,sku\n003,three,C\n001,one,A\n');
  const [topics, same] = [join(folder, 'topics.csv'), join(folder, 'same.csv')];
  expect((await run('cluster', vectors, '--to', topics, '--k', '1', '--texts', texts)).code).toBe(0);
  expect(readFileSync(topics, 'utf8')).toMatch(
    /^id,topic,group,score,text,sku\n001,0,,.*,one,A\n003,0,,.*,three,C\n004,0,,[\d.]+,,\n$/,
  );
  expect((await run('dedupe', vectors, '--to', same, '--texts', texts)).code).toBe(0);
  expect(readFileSync(same, 'utf8')).toBe(
    'group,id,keep,cosine,row,text,sku\n0,001,yes,1.0000,1,one,A\n0,003,no,1.0000,3,three,C\n',
  );
});

test('--columns none copies nothing; a column that does not exist ends the command before its work', async () => {
  const folder = temporaryFolder();
  const [vectors, to] = [await writeVectors(folder, 'parquet'), join(folder, 'same.csv')];
  const { code, output } = await run('dedupe', vectors, '--to', to, '--columns', 'sku');
  expect([code, existsSync(to)]).toEqual([2, false]);
  expect(output).toContain('--columns names "sku"; the columns of the input are "text", "topic", "stars"');
  expect((await run('dedupe', vectors, '--to', to, '--columns', 'none')).code).toBe(0);
  expect(readFileSync(to, 'utf8')).toMatch(/^group,id,keep,cosine,row\n/);
});

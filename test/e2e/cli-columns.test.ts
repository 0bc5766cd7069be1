/**
 * The columns of inputs in outputs: every input format, packing and source to Parquet, and one table to every
 * output format, checked by DuckDB and LanceDB. docs/formats.md has a row for each input.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openFileBytes, openTable } from '@embedmill/core/formats';
import { connect } from '@lancedb/lancedb';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import { embedmill, readLines, readMatrix } from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder } from '../support/folder.ts';
import { duckdb, encodeTable } from '../unit/tables/files.ts';

const ROWS = 20;
const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
let fleet: CommandFleet | undefined;
let server = '';

/** The rows with columns of several types; `types` are those that JSON and CSV cannot state. */
const query = (types: 'stated' | 'plain') => `SELECT
  'r' || i AS id, 'the parcel number ' || i || ' arrived' AS text, i::BIGINT AS stars, i * 0.5::DOUBLE AS price,
  i % 2 = 0 AS sold, CASE WHEN i % 3 = 0 THEN NULL ELSE 'shop ' || i END AS vector
  ${types === 'plain' ? '' : `, (i / 100)::DECIMAL(9, 2) AS dec, TIMESTAMP '2024-01-01' + INTERVAL (i) DAY AS at, {'text': 'review ' || i, 'tags': ['a', NULL]} AS review`}
  FROM range(${ROWS}) t(i)`;

/** Files of the same rows; made once. */
const files: Record<string, Buffer> = {};

beforeAll(async () => {
  const at = (name: string) => join(shared, name);
  const copy = (types: 'stated' | 'plain', name: string, options: string) =>
    duckdb(`COPY (${query(types)}) TO '${at(name)}' (${options})`);
  for (const codec of ['zstd', 'snappy', 'gzip', 'brotli', 'lz4']) {
    await copy('stated', `${codec}.parquet`, `FORMAT parquet, COMPRESSION ${codec}`);
  }
  await copy('plain', 'rows.jsonl', 'FORMAT json');
  await copy('plain', 'rows.json', 'FORMAT json, ARRAY true');
  await copy('plain', 'rows.csv', 'FORMAT csv, HEADER');
  await copy('plain', 'rows.tsv', "FORMAT csv, HEADER, DELIMITER '\t', QUOTE ''");
  for (const name of ['rows.jsonl', 'rows.json', 'rows.csv', 'rows.tsv', 'zstd.parquet']) {
    files[name] = readFileSync(at(name));
  }
  for (const codec of ['snappy', 'gzip', 'brotli', 'lz4']) {
    files[`${codec}.parquet`] = readFileSync(at(`${codec}.parquet`));
  }
  // Without the names `id` and `vector`, which the Arrow files made here have already.
  const renamed = `SELECT * RENAME (id AS key, vector AS shop) FROM (${query('stated')})`;
  await duckdb(`COPY (${renamed}) TO '${at('renamed.parquet')}' (FORMAT parquet)`);
  await writeArrow(at('renamed.parquet'));
  fleet = await startCommandFleet(shared, 1);
  server = fleet.server;
});

/** The columns of a Parquet file as an Arrow file and as a stream. */
async function writeArrow(path: string): Promise<void> {
  const bytes = await openFileBytes(path);
  const table = tableFromIPC(await encodeTable(await openTable('parquet', bytes), 'arrow'));
  await bytes.close();
  const names = table.schema.fields.map(({ name }) => name);
  const own = table.select(names.filter((name) => name !== 'id' && name !== 'vector'));
  files['rows.arrow'] = Buffer.from(tableToIPC(own, 'file'));
  files['rows.arrows'] = Buffer.from(tableToIPC(own, 'stream'));
}

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

/** File of `files`, packing and source. */
const inputs: [file: string, packing: 'none' | 'gzip', source: 'file' | 'folder' | 'stdin'][] = [
  ['zstd.parquet', 'none', 'file'],
  ['snappy.parquet', 'none', 'file'],
  ['gzip.parquet', 'none', 'file'],
  ['brotli.parquet', 'none', 'file'],
  ['lz4.parquet', 'none', 'file'],
  ['zstd.parquet', 'gzip', 'file'],
  ['zstd.parquet', 'none', 'stdin'],
  ['zstd.parquet', 'none', 'folder'],
  ['rows.arrow', 'none', 'file'],
  ['rows.arrow', 'gzip', 'stdin'],
  ['rows.arrows', 'none', 'file'],
  ['rows.jsonl', 'none', 'file'],
  ['rows.jsonl', 'gzip', 'stdin'],
  ['rows.jsonl', 'none', 'folder'],
  ['rows.json', 'none', 'file'],
  ['rows.json', 'gzip', 'file'],
  ['rows.csv', 'none', 'file'],
  ['rows.csv', 'gzip', 'folder'],
  ['rows.tsv', 'none', 'file'],
];

describe('columns come out of a Parquet output as they went in', () => {
  test.each(inputs)('from %s, packed by %s, from a %s', async (name, packing, source) => {
    const cwd = temporaryFolder();
    const bytes = packing === 'gzip' ? gzipSync(files[name] ?? '') : (files[name] ?? Buffer.alloc(0));
    const file = packing === 'gzip' ? `${name}.gz` : name;
    mkdirSync(join(cwd, 'in'));
    if (source !== 'stdin') writeFileSync(join(cwd, 'in', file), bytes);
    const input = { file: join('in', file), folder: 'in', stdin: '-' }[source];
    const isArrow = name.startsWith('rows.arrow');
    const args = ['embed', input, '--to', 'out.parquet', '--server', server];
    if (isArrow) args.push('--id', 'key');
    const { code, stderr } = await embedmillHere(args, {
      cwd,
      ...(source === 'stdin' ? { input: bytes } : {}),
    });
    expect(code, stderr).toBe(0);

    const isTable = name.endsWith('.parquet');
    const isText = /csv|tsv/.test(name);
    const expected = isText
      ? `SELECT id, text, stars::VARCHAR stars, price::VARCHAR price, sold::VARCHAR sold, coalesce(vector, '') vector_1 FROM (${query('plain')})`
      : isArrow
        ? `SELECT id, id AS key, * EXCLUDE (id) RENAME (vector AS shop) FROM (${query('stated')})`
        : `SELECT * RENAME (vector AS vector_1) FROM (${query(isTable ? 'stated' : 'plain')})`;
    const copied = `SELECT * EXCLUDE (vector) FROM '${join(cwd, 'out.parquet')}'`;
    expect(await duckdb(copied)).toEqual(await duckdb(expected));
    const typesOf = async (sql: string) => (await duckdb(`DESCRIBE ${sql}`)).map((row) => row.slice(0, 2));
    expect(await typesOf(copied)).toEqual(await typesOf(expected));
  });
});

describe('a Parquet table goes', () => {
  const embedTo = async (to: string, ...more: string[]) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.parquet'), files['zstd.parquet'] ?? '');
    const args = ['embed', 'in.parquet', '--to', to, '--server', server, ...more];
    const { code, stderr } = await embedmillHere(args, { cwd });
    expect(code, stderr).toBe(0);
    return { path: join(cwd, to), stderr };
  };
  const third = {
    id: 'r3',
    text: 'the parcel number 3 arrived',
    stars: 3,
    price: 1.5,
    sold: false,
    vector_1: null,
    dec: 0.03,
    at: '2024-01-04T00:00:00',
    review: { text: 'review 3', tags: ['a', null] },
  };

  test('to .jsonl', async () => {
    const { path } = await embedTo('out.jsonl');
    expect(readLines(path)[3]).toEqual({ ...third, vector: expect.any(Array) });
  });

  test('to .npy with the columns in .ids.jsonl', async () => {
    const { path } = await embedTo('out.npy');
    expect(readMatrix(path)).toHaveLength(ROWS);
    expect(readLines(path.replace('.npy', '.ids.jsonl'))[3]).toEqual(third);
  });

  test('to .arrow', async () => {
    const { path } = await embedTo('out.arrow');
    const table = tableFromIPC(readFileSync(path));
    expect(table.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'id: Utf8',
      'text: Utf8',
      'stars: Int64',
      'price: Float64',
      'sold: Bool',
      'vector_1: Utf8',
      expect.stringMatching(/^dec: Decimal/),
      'at: Timestamp<MICROSECOND>',
      'review: Struct<{text:Utf8, tags:List<Utf8>}>',
      'vector: FixedSizeList[384]<Float32>',
    ]);
    expect([...(table.getChild('text') ?? [])][3]).toBe(third.text);
  });

  test('to .lance', async () => {
    const { path } = await embedTo('out.lance');
    const database = await connect(join(path, '..'));
    const table = await database.openTable('out');
    const [row] = await table.query().where("id = 'r3'").toArray();
    expect({ text: row.text, stars: row.stars, price: row.price, shop: row.vector_1 }).toEqual({
      text: third.text,
      stars: 3n,
      price: 1.5,
      shop: null,
    });
    expect([await table.countRows(), row.vector.length]).toEqual([ROWS, 384]);
    table.close();
    database.close();
  });

  test('to a Parquet file that states its model, with nested text and chosen columns', async () => {
    const { path } = await embedTo('out.parquet', '--text', 'review.text', '--columns', 'stars,at');
    expect(await duckdb(`DESCRIBE SELECT * FROM '${path}'`)).toEqual([
      expect.arrayContaining(['id', 'VARCHAR']),
      expect.arrayContaining(['stars', 'BIGINT']),
      expect.arrayContaining(['at', 'TIMESTAMP']),
      expect.arrayContaining(['vector', 'FLOAT[]']),
    ]);
    const metadata = await duckdb(
      `SELECT decode(key), decode(value) FROM parquet_kv_metadata('${path}') ORDER BY 1`,
    );
    expect(metadata).toEqual([
      ['embedmill.dimension', '384'],
      ['embedmill.fingerprint', expect.stringMatching(/^[0-9a-f]{16}$/)],
      ['embedmill.model', 'all-MiniLM-L6-v2'],
      ['embedmill.normalized', 'true'],
      ['embedmill.precision', 'int8'],
    ]);
  });

  test('with --columns none to the file that the producer serves', async () => {
    const { path, stderr } = await embedTo('out.parquet', '--columns', 'none');
    const run = /run (\S+) is kept/.exec(stderr)?.[1];
    const response = await fetch(`${server}/v1/runs/${run}/results?format=parquet`);
    expect(readFileSync(path).equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
  });

  test('with --dimensions to shorter vectors of length 1, with a warning', async () => {
    const { path, stderr } = await embedTo('out.npy', '--dimensions', '64');
    expect(stderr).toContain('may not be trained for shorter vectors');
    const vectors = readMatrix(path);
    expect(vectors.map((vector) => vector.length)).toEqual(new Array(ROWS).fill(64));
    for (const vector of vectors) {
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  test('not to more dimensions than the model has', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.csv'), 'text\nA kettle\n');
    const { code, stderr } = await embedmill(['embed', 'in.csv', '--to', 'out.npy', '--dimensions', '385'], {
      cwd,
    });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: "embedmill: --dimensions 385 exceeds the 384 numbers of the model's vectors\n",
    });
  });

  test('not at all if --columns or --text names a column that it cannot use', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.parquet'), files['zstd.parquet'] ?? '');
    const run = (...more: string[]) =>
      embedmill(['embed', 'in.parquet', '--to', 'out.npy', '--server', server, ...more], { cwd });
    expect(await run('--columns', 'strs')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--columns names "strs"; the columns of the input are "id", "text"'),
    });
    expect(await run('--text', 'stars')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds values of the type integer; expected strings'),
    });
  });
});

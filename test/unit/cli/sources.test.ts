/**
 * Sources of rows: each gives the plan and the rows of the same data in a file. A resource that breaks is
 * continued; one that changes ends the command, and two versions are never mixed.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { FieldsRow, InputPlan } from '@embedmill/core/formats';
import { connect } from '@lancedb/lancedb';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { querySqlite } from '../../../apps/cli/src/io/sources/databases/sqlite.ts';
import { httpResource } from '../../../apps/cli/src/io/sources/http.ts';
import { remoteSource } from '../../../apps/cli/src/io/sources/remote.ts';
import type { ByteSource } from '../../../apps/cli/src/io/sources/types.ts';
import { openTextInput } from '../../../apps/cli/src/io/texts/input.ts';
import { type InputLocation, locateInput } from '../../../apps/cli/src/io/texts/locate.ts';
import { loadLibrary } from '../../../apps/cli/src/shell/on-demand.ts';
import { jsonLines } from '../../support/embedmill.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startS3 } from '../../support/s3.ts';
import { startWebFile } from '../../support/web-file.ts';
import { duckdb } from '../tables/files.ts';

const { signal } = new AbortController();

beforeAll(async () => {
  made = await makeParquet();
  // The AWS client reads its own variables.
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(made.folder, { recursive: true, force: true });
});

/** Waits of tests. */
const QUICK = { waitsMs: [1, 1, 1], silenceMs: 300 };

interface Read {
  plans: InputPlan[];
  rows: FieldsRow[];
  sha256: string;
}

async function read(
  input: InputLocation,
  environment: Record<string, string> = {},
  fileColumn: string | null = null,
): Promise<Read> {
  const deps = { stdin: Readable.from([]), environment, signal, maxRowBytes: 1 << 20 };
  const opened = await openTextInput({ input, choices: {}, columns: 'all', fileColumn }, deps);
  const { sha256 } = (await opened.identify()) ?? { sha256: '' };
  const rows: FieldsRow[] = [];
  for await (const slice of opened.rows) rows.push(...slice);
  await opened.close();
  return { plans: opened.plans, rows, sha256 };
}

/** The input that one source is. */
const only = (source: ByteSource): InputLocation => ({
  sources: [source],
  name: source.name,
  isStream: false,
});

/** A query for rows with columns of several types, more than one chunk of any reader. */
const ROWS = `SELECT 'r' || i AS id, 'the parcel number ' || i || ' arrived' AS text, i::INTEGER AS stars, i * 9007199254741::BIGINT AS big,
  i * 0.5::DOUBLE AS price, i % 2 = 0 AS sold, (i / 100)::DECIMAL(9, 2) AS dec, DATE '2024-01-01' + i::INTEGER AS day,
  TIMESTAMP '2024-01-01 10:00:00.123456' + INTERVAL (i) HOUR AS at, CASE WHEN i % 3 = 0 THEN NULL ELSE ['a', NULL] END AS tags,
  'bytes'::BLOB AS raw FROM range(1500) t(i)`;

/** A Parquet file of {@link ROWS}, and what is read from it. */
let made: { path: string; folder: string; expected: Read };

async function makeParquet(): Promise<typeof made> {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
  const path = join(folder, 'rows.parquet');
  await duckdb(`COPY (${ROWS}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  return { path, folder, expected: await read(locateInput([path])) };
}

/** The rows without the fields that a plan states differently for a file. */
const shapeOf = ({ plans, rows }: Read) => ({
  rows,
  plans: plans.map(({ textField, idField, columns, records, usable, problem }) => ({
    ...{ textField, idField, records, usable, problem },
    columns: columns.map(({ name, type }) => ({ name, type })),
  })),
});

describe('the rows of a Parquet file come with their types', () => {
  test('from the web, by ranges', async () => {
    const { path, expected } = made;
    const web = await startWebFile(readFileSync(path), { path: '/data/rows.parquet?signature=secret' });
    const found = await read(locateInput([web.url]));
    expect(found.rows).toEqual(expected.rows);
    expect(found.plans).toEqual(expected.plans);
    expect(web.ranges.every((range) => range !== '')).toBe(true);
  });

  test('from a web server without ranges', async () => {
    const { path, expected } = made;
    const web = await startWebFile(readFileSync(path), { ranges: false, path: '/rows.parquet' });
    const found = await read(locateInput([web.url]));
    expect(found.rows).toEqual(expected.rows);
    expect(found.plans).toEqual(expected.plans);
  });

  test('from a bucket', async () => {
    const { path, expected } = made;
    const s3 = await startS3();
    await put(s3.environment, 'rows.parquet', readFileSync(path));
    const found = await read(locateInput(['s3://vectors/rows.parquet']), s3.environment);
    expect(found.rows).toEqual(expected.rows);
    expect(found.plans).toEqual(expected.plans);
  });

  test('from DuckDB', async () => {
    const { path, folder, expected } = made;
    const database = join(folder, 'rows.db');
    await duckdb(`ATTACH '${database}' AS d`, `CREATE TABLE d.rows AS FROM '${path}'`, 'DETACH d');
    for (const given of [`duckdb:${database}`, database]) {
      const found = await read(locateInput([given], { query: 'SELECT * FROM rows;' }));
      expect(shapeOf(found)).toEqual(shapeOf(expected));
    }
    const inMemory = await read(locateInput(['duckdb:'], { query: `FROM '${path}'` }));
    expect(shapeOf(inMemory)).toEqual(shapeOf(expected));
  });

  test('from PostgreSQL', async () => {
    const { path, expected } = made;
    const csv = path.replace('.parquet', '.csv');
    await duckdb(`COPY (SELECT * EXCLUDE (tags, raw) FROM '${path}') TO '${csv}' (HEADER false)`);
    const { database: postgres, url } = await startPostgres();
    await postgres.exec(
      'CREATE TABLE rows (id text, text varchar, stars int, big bigint, price float8, sold boolean, dec numeric(9, 2), day date, at timestamp)',
    );
    await postgres.query("COPY rows FROM '/dev/blob' (FORMAT csv)", [], {
      blob: new Blob([readFileSync(csv)]),
    });
    const query = `SELECT *, CASE WHEN stars % 3 = 0 THEN NULL ELSE ARRAY['a', NULL] END AS tags, 'bytes'::bytea AS raw FROM rows ORDER BY stars`;
    const found = await read(locateInput([url], { query }));
    expect(shapeOf(found)).toEqual(shapeOf(expected));
    expect(locateInput([url], { query }).name).not.toContain('secret');
    const more = `SELECT 'x' AS text, 12.50::numeric AS free, '0044-03-15 BC'::date AS ides, '2024-02-29 12:00:00+02'::timestamptz AS zone, '{"a": 1}'::jsonb AS json, 'infinity'::float8 AS inf, ARRAY[1, NULL] AS n`;
    const [row] = (await read(locateInput([url], { query: more }))).rows;
    expect(row?.fields).toEqual({
      columns: [
        { name: 'text', type: { kind: 'string' } },
        { name: 'free', type: { kind: 'string' } },
        { name: 'ides', type: { kind: 'date' } },
        { name: 'zone', type: { kind: 'timestamp', unit: 'us', utc: true } },
        { name: 'json', type: { kind: 'string' } },
        { name: 'inf', type: { kind: 'float', bits: 64 } },
        { name: 'n', type: { kind: 'list', item: { kind: 'integer', bits: 32, signed: true } } },
      ],
      values: [
        'x',
        '12.50',
        Math.round(Date.parse('-000043-03-15T00:00:00Z') / 86_400_000),
        BigInt(Date.parse('2024-02-29T10:00:00Z')) * 1000n,
        '{"a": 1}',
        Number.POSITIVE_INFINITY,
        [1, null],
      ],
    });
    const failing = 'SELECT *, 1 / (1400 - stars) FROM rows ORDER BY stars';
    await expect(read(locateInput([url], { query: failing }))).rejects.toMatchObject({
      code: 'query-failed',
      message: expect.stringContaining('cannot be read to its end: division by zero'),
    });
    await expect(read(locateInput([url], { query: 'SELECT * FROM gone' }))).rejects.toThrow(
      /cannot run the query: relation "gone" does not exist/,
    );
    await expect(read(locateInput([url], { query: "SELECT 'infinity'::timestamp AS text" }))).rejects.toThrow(
      /the timestamp "infinity".*cast it to text/,
    );
  });

  test('from LanceDB', async () => {
    const { folder, expected } = made;
    const stored = expected.rows.map((row) => ({ id: row.id, text: row.ok ? row.text : null, stars: 1 }));
    const database = await connect(folder);
    const table = await database.createTable('rows', stored);
    const found = await read(locateInput([join(folder, 'rows.lance')]));
    expect(found.rows.map((row) => row.ok && [row.id, row.text])).toEqual(
      expected.rows.map((row) => row.ok && [row.id, row.text]),
    );
    expect(found.plans[0]).toMatchObject({
      format: 'lance',
      textField: 'text',
      idField: 'id',
      problem: null,
    });
    await table.add([{ id: 'new', text: 'one more', stars: 1 }]);
    const later = await read(locateInput([join(folder, 'rows.lance')]));
    expect(later.rows).toHaveLength(1501);
    expect(later.sha256).not.toBe(found.sha256);
  });
});

async function put(environment: Record<string, string>, key: string, bytes: Buffer): Promise<void> {
  const { openBucket } = await import('../../../apps/cli/src/io/objects/s3.ts');
  const bucket = await openBucket('vectors', { environment, signal });
  const path = join(temporaryFolder(), 'object');
  writeFileSync(path, bytes);
  await bucket.put(key, { path, bytes: bytes.length, sha256: '', contentType: 'application/octet-stream' });
  bucket.close();
}

describe('a query in SQLite', () => {
  function database(sql: string): string {
    const path = join(temporaryFolder(), 'shop.db');
    const opened = new DatabaseSync(path);
    opened.exec(sql);
    opened.close();
    return path;
  }

  test('gives each value its type, and large integers all digits', async () => {
    const path = database(
      `CREATE TABLE r (id INTEGER, text TEXT, price REAL, any);
       INSERT INTO r VALUES (9007199254740993, 'Soft towel.', 2.0, 1), (2, 'Thin.', 3.5, 'x'), (3, NULL, NULL, x'00ff')`,
    );
    for (const given of [`sqlite:${path}`, path]) {
      const { rows, plans } = await read(locateInput([given], { query: 'SELECT * FROM r ORDER BY rowid' }));
      expect(plans[0]).toMatchObject({
        format: 'query',
        textField: 'text',
        idField: 'id',
        records: 3,
        usable: 2,
      });
      expect(rows.map((row) => [row.id, row.ok ? row.text : row.code])).toEqual([
        ['9007199254740993', 'Soft towel.'],
        ['2', 'Thin.'],
        ['3', 'missing-text'],
      ]);
      expect(rows[0]?.fields).toEqual({
        columns: [
          { name: 'id', type: { kind: 'integer', bits: 64, signed: true } },
          { name: 'text', type: { kind: 'string' } },
          { name: 'price', type: { kind: 'float', bits: 64 } },
          { name: 'any', type: { kind: 'json' } },
        ],
        values: [9007199254740993n, 'Soft towel.', 2, 1n],
      });
    }
  });

  test('keeps its statement while rows are read', async () => {
    const path = database(
      `CREATE TABLE r AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
       SELECT i AS id, 'row ' || i AS text FROM n`,
    );
    const { table, close } = await querySqlite(path, 'SELECT * FROM r', {
      signal,
      environment: {},
      stdin: Readable.from([]),
    });
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    let rows = 0;
    for await (const slice of table.read()) {
      rows += slice.rows;
      collectGarbage();
      // The library frees what was collected in a task of its own.
      await setImmediate();
    }
    await close();
    expect(rows).toBe(5000);
  });

  test('reads all rows of a large result, whose later types differ', async () => {
    const path = database(
      `CREATE TABLE r AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
       SELECT i AS id, 'text ' || i AS text, CASE WHEN i < 4000 THEN i ELSE i + 0.5 END AS price FROM n`,
    );
    const { rows } = await read(locateInput([path], { query: 'SELECT * FROM r' }));
    expect(rows).toHaveLength(5000);
    const priceOf = (row: FieldsRow | undefined) => {
      const fields = row?.fields;
      return fields !== undefined && 'values' in fields && [fields.columns[2]?.type.kind, fields.values[2]];
    };
    expect([priceOf(rows[0]), priceOf(rows[4999])]).toEqual([
      ['integer', 1n],
      ['float', 5000.5],
    ]);
  });

  test('that fails behind the first rows is an error', async () => {
    const path = database('CREATE TABLE r (text)');
    const query = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      SELECT 'ok' AS text, CASE WHEN i < 4000 THEN i ELSE abs(-9223372036854775808) END AS id FROM n`;
    await expect(read(locateInput([path], { query }))).rejects.toMatchObject({
      code: 'query-failed',
      message: expect.stringContaining('cannot be read to its end: integer overflow'),
    });
  });

  test.each([
    ['SELECT * FROM gone', 'no such table: gone'],
    ["INSERT INTO r VALUES ('x')", 'readonly'],
  ])('%s is refused', async (query, message) => {
    const path = database('CREATE TABLE r (text)');
    await expect(read(locateInput([path], { query }))).rejects.toThrow(message);
  });
});

describe('a database', () => {
  test.each([
    [['duckdb:gone.db'], { query: 'SELECT 1' }, 'there is no database "gone.db"'],
    [['sqlite:gone.db'], {}, 'a database requires --query'],
    [['postgres://u:secret@h/d'], {}, 'a database requires --query'],
    [['a', 'b'], { query: 'SELECT 1' }, '--query requires one database'],
    [['package.json'], { query: 'SELECT 1' }, '"package.json" is not a database; expected duckdb:FILE'],
    [['duckdb:'], { query: ' ' }, '--query is empty'],
  ])('%j with %j is refused', (given, options, message) => {
    expect(() => locateInput(given, options)).toThrow(message);
  });

  test('whose library is missing says how to install it', async () => {
    const name = 'embedmill-has-no-such-package';
    await expect(loadLibrary('Oracle is read', name, () => import(name))).rejects.toThrow(
      `Oracle is read with the package ${name}, which is not installed; install it beside Embedmill: npm install ${name}`,
    );
  });

  test('whose query has no order gets a warning', async () => {
    const warnings = async (query: string) =>
      (await read(locateInput(['duckdb:'], { query }))).plans[0]?.warnings;
    const query = "SELECT 'a text' AS text, 1 AS id";
    expect(await warnings(query)).toEqual([expect.stringContaining('the query has no ORDER BY')]);
    expect(await warnings(`${query} ORDER BY id`)).toEqual([]);
  });

  test('that fails behind the first rows is named', async () => {
    const query =
      "SELECT i AS id, CASE WHEN i < 200000 THEN 'ok' ELSE error('broken') END AS text FROM range(200001) t(i)";
    await expect(read(locateInput(['duckdb:'], { query }))).rejects.toMatchObject({
      code: 'query-failed',
      message: expect.stringMatching(/^"duckdb:" cannot be read to its end: .*broken/),
    });
  });
});

const texts = Array.from({ length: 8000 }, (_, n) => ({ id: `r${n}`, text: `Review ${n} of a towel.` }));
const lines = Buffer.from(jsonLines(texts));
const idsOf = ({ rows }: Read) => rows.map((row) => row.id);
const allIds = texts.map(({ id }) => id);

describe('a resource on the web', () => {
  test.each([
    ['an entity tag', { version: { etag: '"1"' } }, true],
    ['a weak tag', { version: { etag: 'W/"1"' } }, true],
    ['a date', { version: { 'last-modified': 'Sat, 28 Nov 2026 10:00:00 GMT' } }, true],
    ['no version', { version: {} }, false],
    ['no ranges', { ranges: false }, false],
  ])('with %s is continued where the connection broke', async (_, options, isContinued) => {
    const web = await startWebFile(lines, options);
    const source = remoteSource(httpResource(web.url), QUICK);
    await read(only(source));
    const before = web.ranges.length;
    // The plan reads 256 KiB in another request.
    web.cuts = [lines.length, 70_000, 50_000, 100_000];
    expect(idsOf(await read(only(source)))).toEqual(allIds);
    const starts = web.ranges.slice(before + 1).map((range) => Number(/\d+/.exec(range)));
    expect(starts).toHaveLength(4);
    expect(starts.some((start) => start > 0)).toBe(isContinued);
  });

  test.each([
    ['an entity tag', { version: { etag: '"1"' } }, { etag: '"2"' }],
    ['a date', { version: { 'last-modified': 'a' } }, { 'last-modified': 'b' }],
    ['no version', { version: {} }, {}],
    ['no ranges', { ranges: false, version: {} }, {}],
  ])('with %s that changes after the connection broke ends the reading', async (_, options, version) => {
    const web = await startWebFile(lines, options);
    const source = remoteSource(httpResource(web.url), QUICK);
    const chunks = source.open({ stdin: Readable.from([]), environment: {}, signal });
    web.cuts = [70_000];
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        web.version = version;
        web.bytes = Buffer.from(lines.toString().replace('Review 0 of', 'Review 0 OF'));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'source-changed' });
    expect(bytes).toBeLessThanOrEqual(70_000);
  });

  test('that changes between the plan and the rows ends the reading', async () => {
    const web = await startWebFile(lines);
    const deps = { stdin: Readable.from([]), environment: {}, signal, maxRowBytes: 1 << 20 };
    const input = locateInput([web.url]);
    const { rows } = await openTextInput({ input, choices: {} }, deps);
    web.version = { etag: '"2"' };
    await expect(rows[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'source-changed' });
    // Starting over, as embed does with --overwrite.
    expect(idsOf(await read(input))).toEqual(allIds);
  });

  test('has an identity that changes with its version, and not with its URL', async () => {
    const web = await startWebFile(lines);
    const before = await read(locateInput([web.url]));
    expect((await read(locateInput([`${web.url}?signature=2`]))).sha256).toBe(before.sha256);
    web.version = { etag: '"2"' };
    expect((await read(locateInput([web.url]))).sha256).not.toBe(before.sha256);
  });

  test('is read again after temporary errors, and its pauses are reported', async () => {
    const web = await startWebFile(lines);
    web.statuses = [{ status: 503 }, { status: 429, headers: { 'retry-after': '0' } }];
    const reasons: string[] = [];
    const source = remoteSource(httpResource(web.url), QUICK);
    let bytes = 0;
    const deps = {
      stdin: Readable.from([]),
      environment: {},
      signal,
      onRetry: (reason: string) => reasons.push(reason),
    };
    for await (const chunk of source.open(deps)) bytes += chunk.length;
    expect(bytes).toBe(lines.length);
    expect(reasons).toEqual([
      expect.stringContaining('the server answers 503'),
      expect.stringContaining('the server answers 429'),
    ]);
  });

  test.each([
    [
      [{ status: 404 }],
      'source-refused',
      /rows\.jsonl" cannot be read: the server answers 404: it does not exist/,
    ],
    [[{ status: 403 }], 'source-refused', /access denied/],
    [[{ status: 401 }], 'source-refused', /https:\/\/user:password@/],
    [
      [{ status: 302, headers: { location: 'file:///etc/passwd' } }],
      'source-refused',
      /a redirect to "file:"/,
    ],
    [Array.from({ length: 4 }, () => ({ status: 500 })), 'source-unavailable', /the server answers 500/],
    [
      Array.from({ length: 11 }, () => ({ status: 302, headers: { location: '/' } })),
      'source-refused',
      /redirects/,
    ],
  ])('that answers %j is an error', async (statuses, code, message) => {
    const web = await startWebFile(lines);
    web.statuses = statuses;
    const url = web.url.replace('//', '//me:secret@');
    const reading = read(only(remoteSource(httpResource(`${url}?signature=secret`), QUICK)));
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(reading).rejects.not.toThrow('secret');
  });

  test('gets a password, which a redirect does not pass on', async () => {
    const [first, other] = [await startWebFile(lines), await startWebFile(lines)];
    first.statuses = [{ status: 307, headers: { location: other.url } }];
    const url = first.url.replace('//', '//me:p%40ss@');
    let bytes = 0;
    const source = remoteSource(httpResource(url), QUICK);
    const deps = { stdin: Readable.from([]), environment: { HTTP_PROXY: 'http://127.0.0.1:1' }, signal };
    for await (const chunk of source.open(deps)) bytes += chunk.length;
    expect(bytes).toBe(lines.length);
    expect(first.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    expect(other.headers.authorization).toBeUndefined();
  });

  test('is read through the proxy of the environment', async () => {
    const web = await startWebFile(lines);
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client: Socket) => {
      asked.push(String(request.url));
      const upstream = connectTo(Number(new URL(web.url).port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      client.on('error', () => {});
      upstream.on('error', () => {});
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as AddressInfo;
    const environment = { HTTP_PROXY: `http://127.0.0.1:${port}` };
    expect(idsOf(await read(locateInput(['http://rows.test/rows.jsonl']), environment))).toEqual(allIds);
    expect(new Set(asked)).toEqual(new Set(['rows.test:80']));
  });

  test('that stays silent is requested again', async () => {
    const web = await startWebFile(lines);
    const resource = httpResource(web.url);
    let isSilent = true;
    const source = remoteSource(
      {
        ...resource,
        async get(range, version, deps) {
          const answer = await resource.get(range, version, deps);
          const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
          const body = isSilent ? never : answer.body;
          isSilent = false;
          return { ...answer, body };
        },
      },
      QUICK,
    );
    expect(idsOf(await read(only(source)))).toEqual(allIds);
  });

  test('is unpacked by its content', async () => {
    const web = await startWebFile(gzipSync(lines), { path: '/download' });
    expect(idsOf(await read(locateInput([web.url])))).toEqual(allIds);
  });

  test('whose end cannot be told from a cut is refused', async () => {
    const web = await startWebFile(lines);
    web.isOpenEnded = true;
    await expect(read(locateInput([web.url]))).rejects.toThrow(/a cut would not be noticed/);
  });

  test('without bytes has no rows', async () => {
    const web = await startWebFile(Buffer.alloc(0));
    expect(idsOf(await read(locateInput([web.url])))).toEqual([]);
  });
});

describe('objects in a bucket', () => {
  async function bucket(keys: readonly string[]) {
    const s3 = await startS3();
    for (const key of keys) await put(s3.environment, key, Buffer.from(jsonLines([{ id: key, text: 'ok' }])));
    return s3;
  }

  test.each([
    ['s3://vectors/in/', ['in/a.jsonl', 'in/b/c.jsonl']],
    ['s3://vectors/in', ['in/a.jsonl', 'in/b/c.jsonl']],
    ['s3://vectors/in/*.jsonl', ['in/_success.jsonl', 'in/a.jsonl']],
    ['s3://vectors/in/**/[a-c].jsonl', ['in/a.jsonl', 'in/b/c.jsonl']],
    ['s3://vectors/in/README', ['in/README']],
    ['s3://vectors/in/[x].jsonl', ['in/[x].jsonl']],
  ])('named by %s are one dataset, ordered by key', async (url, ids) => {
    const keys = ['in/b/c.jsonl', 'in/a.jsonl', 'in/README', 'in/_success.jsonl', 'inner/x.jsonl', 'x.jsonl'];
    const s3 = await bucket(url.includes('[x]') ? [...keys, 'in/[x].jsonl', 'in/x.jsonl'] : keys);
    const { rows } = await read(locateInput([url]), s3.environment, 'file');
    expect(rows.map((row) => row.id)).toEqual(ids);
    expect(rows.map(({ fields }) => fields !== undefined && 'json' in fields && fields.json.file)).toEqual(
      ids.map((id) => `s3://vectors/${id}`),
    );
  });

  test('are continued where the connection broke', async () => {
    const s3 = await startS3();
    await put(s3.environment, 'rows.jsonl', lines);
    s3.cutBodies = [lines.length, 70_000, 90_000];
    expect(idsOf(await read(locateInput(['s3://vectors/rows.jsonl']), s3.environment))).toEqual(allIds);
  });

  test('that change while they are read end the reading', async () => {
    const s3 = await startS3();
    await put(s3.environment, 'rows.jsonl', lines);
    const deps = { stdin: Readable.from([]), environment: s3.environment, signal, maxRowBytes: 1 << 20 };
    const input = locateInput(['s3://vectors/rows.jsonl']);
    const { rows } = await openTextInput({ input, choices: {} }, deps);
    await put(s3.environment, 'rows.jsonl', Buffer.from(lines.toString().replaceAll('towel', 'TOWEL')));
    await expect(rows[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'source-changed' });
  });

  test.each([
    ['s3://vectors/gone.jsonl', /has no input files/],
    ['s3://vectors/gone/*.jsonl', /has no input files/],
    ['s3://nowhere/in/', /there is no bucket "nowhere"/],
  ])('%s is refused', async (url, message) => {
    const s3 = await bucket([]);
    await expect(read(locateInput([url]), s3.environment)).rejects.toThrow(message);
  });
});

test('a column with the file of each row never replaces a field', async () => {
  const path = join(temporaryFolder(), 'in.jsonl');
  writeFileSync(path, jsonLines([{ text: 'ok' }, { text: 'ok', file: 'own' }]));
  await expect(read(locateInput([path]), {}, 'file')).rejects.toThrow(
    '--file-column names "file", which the object in line 2 has too',
  );
});

test('a column with the file of each row, also of bad rows and of text', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/a.csv'), 'id,text\n1,ok\n2\n');
  writeFileSync(join(folder, 'in/b.txt'), 'ok\n');
  const { rows } = await read(locateInput([join(folder, 'in')]), {}, 'file');
  const files = rows.map(({ fields }) => {
    if (fields === undefined || 'json' in fields) return null;
    return fields.values[fields.columns.findIndex(({ name }) => name === 'file')];
  });
  expect(files).toEqual([join(folder, 'in/a.csv'), join(folder, 'in/a.csv'), join(folder, 'in/b.txt')]);
});

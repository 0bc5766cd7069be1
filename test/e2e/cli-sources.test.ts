/**
 * The embed command with inputs that are not local files: the output has the bytes of the same rows in a local
 * file, also when the command was killed and repeated. A source that changed in between is refused.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { RunInfo } from '@embedmill/contract';
import { connect } from '@lancedb/lancedb';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import { startEmbedmill, startSharedEmbedmill } from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestProcess } from '../support/process.ts';
import { startS3, type TestS3 } from '../support/s3.ts';
import { startWebFile, type WebFile } from '../support/web-file.ts';
import { duckdb } from '../unit/tables/files.ts';

const ROWS = 40;
const QUERY = 'SELECT * FROM rows ORDER BY stars';
const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const parquet = join(shared, 'rows.parquet');
let fleet: CommandFleet | undefined;
let worker: TestProcess | undefined;

beforeAll(async () => {
  await duckdb(`COPY (SELECT 'r' || i AS id, 'the parcel number ' || i || ' arrived' AS text, i::BIGINT AS stars,
    i * 0.25::DOUBLE AS price FROM range(${ROWS}) t(i)) TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`);
  fleet = await startCommandFleet(shared, 0);
});

afterAll(async () => {
  worker?.kill('SIGTERM');
  await worker?.waitForExit();
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

/** A source: the input, its options, and the environment of the command. */
interface Source {
  input: string;
  options?: string[];
  env?: Record<string, string>;
}

/** The same rows in every kind of source, and what changes them. */
async function makeSources(): Promise<{ sources: Record<string, Source>; web: WebFile; s3: TestS3 }> {
  const bytes = readFileSync(parquet);
  const rows = (await duckdb(`SELECT id, text, stars, price FROM '${parquet}'`)).map(
    ([id, text, stars, price]) => ({
      id: String(id),
      text: String(text),
      stars: BigInt(String(stars)),
      price: Number(price),
    }),
  );
  const web = await startWebFile(bytes, { path: '/rows.parquet' });
  const plain = await startWebFile(bytes, { path: '/rows.parquet', ranges: false, version: {} });
  const s3 = await startS3();
  for (const key of ['rows.parquet', 'in/rows.parquet']) {
    await fetch(`${s3.environment.AWS_ENDPOINT_URL}/vectors/${key}`, { method: 'PUT', body: bytes });
  }
  for (const name of ['rows.duckdb', 'changed.duckdb']) {
    await duckdb(
      `ATTACH '${join(shared, name)}' AS d`,
      `CREATE TABLE d.rows AS FROM '${parquet}'`,
      'DETACH d',
    );
  }
  const sqlite = new DatabaseSync(join(shared, 'rows.sqlite'));
  sqlite.exec('CREATE TABLE rows (id TEXT, text TEXT, stars INTEGER, price REAL)');
  const insert = sqlite.prepare('INSERT INTO rows VALUES (?, ?, ?, ?)');
  for (const { id, text, stars, price } of rows) insert.run(id, text, stars, price);
  sqlite.close();
  const lance = await connect(shared);
  await lance.createTable('rows', rows);
  const { database: postgres, url: postgresUrl } = await startPostgres();
  await postgres.exec('CREATE TABLE rows (id text, text text, stars bigint, price float8)');
  for (const { id, text, stars, price } of rows) {
    await postgres.query('INSERT INTO rows VALUES ($1, $2, $3, $4)', [id, text, stars, price]);
  }
  const query = ['--query', QUERY];
  const { environment: env } = s3;
  const sources = {
    file: { input: parquet },
    web: { input: web.url },
    'web without ranges': { input: plain.url },
    'changed web': { input: web.url },
    object: { input: 's3://vectors/rows.parquet', env },
    prefix: { input: 's3://vectors/in/', env },
    duckdb: { input: `duckdb:${join(shared, 'rows.duckdb')}`, options: query },
    'changed duckdb': { input: `duckdb:${join(shared, 'changed.duckdb')}`, options: query },
    sqlite: { input: join(shared, 'rows.sqlite'), options: query },
    postgres: { input: postgresUrl, options: query },
    lance: { input: join(shared, 'rows.lance') },
  };
  return { sources, web, s3 };
}

/** Resolves when the producer has all rows of the command that writes `output`. */
async function whenSent(output: string): Promise<void> {
  const note = `${output}.partial/job.json`;
  const accepted = async (): Promise<number> => {
    if (!existsSync(note)) return 0;
    const { run } = JSON.parse(readFileSync(note, 'utf8'));
    const info = (await (await fetch(`${fleet?.server}/v1/runs/${run}`)).json()) as RunInfo;
    return info.rows.accepted;
  };
  await expect.poll(accepted, { interval: 50, timeout: 60_000 }).toBe(ROWS);
}

test('every source gives the bytes of a local file, after kill -9 too', { timeout: 240_000 }, async () => {
  const { sources, web } = await makeSources();
  const folder = temporaryFolder();
  const argsOf = (name: string, { input, options = [] }: Source) => [
    ...['embed', input, '--to', join(folder, `${name}.parquet`), '--server', fleet?.server ?? ''],
    ...options,
  ];
  // Without a worker no run ends, so that every command is killed in the middle.
  for (const [name, source] of Object.entries(sources)) {
    const command = startEmbedmill(argsOf(name, source), source.env === undefined ? {} : { env: source.env });
    await whenSent(join(folder, `${name}.parquet`));
    command.kill('SIGKILL');
    await command.exited;
  }
  const env = {
    REDIS_URL: inject('redisUrl'),
    EMBEDMILL_PREFIX: basename(shared),
    EMBEDMILL_DATA_DIR: join(shared, 'data'),
  };
  worker = startSharedEmbedmill(['worker', '--threads', '1', '--port', '0'], { env });
  const run = (name: string) => {
    const source = sources[name] ?? { input: '' };
    return embedmillHere(argsOf(name, source), source.env === undefined ? {} : { env: source.env });
  };
  const isChanged = (name: string) => name.startsWith('changed');
  for (const name of Object.keys(sources).filter((key) => !isChanged(key))) {
    const { code, stderr } = await run(name);
    expect({ name, code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Resuming ') });
    expect(stderr).not.toContain('secret');
    const output = readFileSync(join(folder, `${name}.parquet`));
    expect([name, output.equals(readFileSync(join(folder, 'file.parquet')))]).toEqual([name, true]);
  }
  const copied = `SELECT id, text, stars, price FROM '${join(folder, 'file.parquet')}'`;
  expect(await duckdb(copied)).toEqual(await duckdb(`FROM '${parquet}'`));

  web.version = { etag: '"2"' };
  expect(await run('changed web')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('the contents of the input have changed'),
  });
  await duckdb(
    `ATTACH '${join(shared, 'changed.duckdb')}' AS d`,
    "UPDATE d.rows SET text = 'something else' WHERE id = 'r7'",
    'DETACH d',
  );
  expect(await run('changed duckdb')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the input differs from that of run .*: part 1 differs/),
  });
  expect(existsSync(join(folder, 'changed duckdb.parquet'))).toBe(false);
});

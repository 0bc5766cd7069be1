/** Outputs other than local files: LanceDB tables and objects in a bucket (s3rver over HTTP). */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@lancedb/lancedb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import {
  jsonLines,
  readLines,
  readMatrix,
  sentences,
  startEmbedmill,
  startSharedEmbedmill,
} from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder } from '../support/folder.ts';
import type { TestProcess } from '../support/process.ts';
import { startS3, type TestS3 } from '../support/s3.ts';

const rows = sentences(60);
const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const input = join(shared, 'rows.jsonl');
const expected = join(shared, 'expected.npy');
let fleet: CommandFleet | undefined;
let server = '';

beforeAll(async () => {
  fleet = await startCommandFleet(shared, 1);
  server = fleet.server;
  writeFileSync(input, jsonLines(rows));
  const args = ['embed', input, '--to', expected, '--server', server];
  expect(await startSharedEmbedmill(args, {}).waitForExit()).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

/** Embeds on the fleet. */
function embed(from: string, to: string, env: Record<string, string>, ...more: string[]) {
  return embedmillHere(['embed', from, '--to', to, '--server', server, ...more], { env });
}

describe('a LanceDB table', () => {
  /** Its rows, as LanceDB reads them. */
  async function rowsOf(folder: string): Promise<{ id: string; vector: number[] }[]> {
    const database = await connect(folder);
    const table = await database.openTable('reviews');
    const found = await table.query().toArray();
    table.close();
    database.close();
    return found.map(({ id, vector }) => ({ id, vector: [...vector] }));
  }

  test('has the rows with a vector, and is replaced atomically', async () => {
    const folder = temporaryFolder();
    const [first, table] = [join(folder, 'first.jsonl'), join(folder, 'reviews.lance')];
    writeFileSync(first, jsonLines([rows[0], { id: 'blank', text: ' ' }, rows[1]]));
    expect(await embed(first, table, {})).toMatchObject({ code: 3 });
    const floats = readMatrix(expected);
    const vectorOf = (row: number) => ({ id: rows[row]!.id, vector: [...floats[row]!] });
    expect(await rowsOf(folder)).toEqual([vectorOf(0), vectorOf(1)]);
    expect(readLines(join(folder, 'reviews.lance.report.jsonl'))).toMatchObject([{ id: 'blank' }]);

    expect(await embed(input, table, {})).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('reviews.lance exists; add --overwrite to replace it'),
    });
    expect(await embed(input, table, {}, '--overwrite')).toMatchObject({ code: 0 });
    expect(await rowsOf(folder)).toEqual(rows.map((_, row) => vectorOf(row)));
    // LanceDB keeps something of its own beside its tables.
    expect(readdirSync(folder).sort()).toEqual(['__manifest', 'first.jsonl', 'reviews.lance']);
  });

  test('without rows is empty', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'none.jsonl'), '');
    expect(await embed(join(folder, 'none.jsonl'), join(folder, 'reviews.lance'), {})).toMatchObject({
      code: 0,
    });
    expect(await rowsOf(folder)).toEqual([]);
    expect(await embed(input, join(folder, 'reviews.lance'), {}, '--overwrite')).toMatchObject({ code: 0 });
    expect(await rowsOf(folder)).toHaveLength(60);
  });
});

describe('a bucket', () => {
  /**
   * A server, and the variables of a command that uses it: none of the machine's own keys, drafts in a place
   * of their own.
   */
  async function startBucket(): Promise<{ s3: TestS3; env: Record<string, string>; drafts: () => string[] }> {
    const s3 = await startS3();
    const cache = temporaryFolder();
    const env = {
      ...s3.environment,
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      EMBEDMILL_CACHE: cache,
    };
    return { s3, env, drafts: () => readdirSync(join(cache, 'outputs')) };
  }

  const names = (request: string) => /^PUT \/([^?]+)/.exec(request)?.[1] ?? [];

  test('has the same files as a folder, with the vectors last', async () => {
    const { s3, env, drafts } = await startBucket();
    expect(await embed(input, 's3://vectors/a/rows.npy', env, '--dtype', 'int8', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"output":"s3://vectors/a/rows.npy"'),
    });
    expect(s3.requests.flatMap(names)).toEqual(['a/rows.ids.jsonl', 'a/rows.scales.npy', 'a/rows.npy']);
    const local = join(temporaryFolder(), 'rows.npy');
    await embed(input, local, {}, '--dtype', 'int8');
    expect(await s3.read('a/rows.npy')).toEqual(readFileSync(local));
    expect(await s3.read('a/rows.ids.jsonl')).toEqual(readFileSync(local.replace('.npy', '.ids.jsonl')));

    expect(await embed(input, 's3://vectors/a/rows.npy', env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('s3://vectors/a/rows.npy exists; add --overwrite to replace it'),
    });
    const { code, stderr } = await embed(input, 's3://vectors/a/rows.npy', env, '--overwrite');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('s3://vectors/a/rows.npy') });
    expect(await s3.read('a/rows.npy')).toEqual(readFileSync(expected));
    const changes = s3.requests.filter((request) => /^(PUT|DELETE)/.test(request)).slice(-5);
    expect(changes.map((request) => request.split('?')[0])).toEqual([
      'DELETE /a/rows.npy',
      'DELETE /a/rows.npy.report.jsonl',
      'DELETE /a/rows.scales.npy',
      'PUT /a/rows.ids.jsonl',
      'PUT /a/rows.npy',
    ]);
    expect(drafts()).toEqual([]);
  });

  test('that becomes unavailable gets all files when the command is repeated', async () => {
    const { s3, env, drafts } = await startBucket();
    s3.filter = (request) => (request.startsWith('PUT /rows.npy') ? 'busy' : 'pass');
    expect(await embed(input, 's3://vectors/rows.npy', env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('s3://vectors reports'),
    });
    s3.filter = () => 'pass';
    const { code, stdout } = await embed(input, 's3://vectors/rows.npy', env, '--json');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, resumed: true });
    expect(await s3.read('rows.npy')).toEqual(readFileSync(expected));
    expect(drafts()).toEqual([]);
  });

  test('gets all files after the command was killed during an upload', async () => {
    const { s3, env } = await startBucket();
    let call: TestProcess | undefined;
    s3.filter = (request) => {
      if (request.startsWith('PUT /rows.npy')) call?.kill('SIGKILL');
      return 'pass';
    };
    const args = ['embed', input, '--to', 's3://vectors/rows.npy', '--server', server];
    call = startEmbedmill(args, { env });
    await call.waitForExit();
    s3.filter = () => 'pass';
    expect(await embedmillHere([...args, '--overwrite'], { env })).toMatchObject({ code: 0 });
    expect(await s3.read('rows.npy')).toEqual(readFileSync(expected));
  });

  test('holds the shards of a file', async () => {
    const { s3, env } = await startBucket();
    const args = ['load', expected, '--to', 's3://vectors/shards', '--shard-rows', '25', '--format', 'jsonl'];
    for (const _ of [1, 2]) {
      expect(await embedmillHere(args, { env })).toMatchObject({
        code: 0,
        stdout: '60 rows in 3 shards at s3://vectors/shards/\n',
      });
    }
    expect(s3.requests.flatMap(names)).toEqual([
      ...[0, 1, 2].map((n) => `shards/part-0000${n}.jsonl`),
      'shards/_manifest.json',
    ]);
    expect((await s3.read('shards/part-00002.jsonl')).toString().trim().split('\n')).toHaveLength(10);
  });

  test('that is missing or has no credentials is reported before anything is embedded', async () => {
    const { s3, env } = await startBucket();
    expect(await embed(input, 's3://gone/rows.npy', env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no bucket "gone"'),
    });
    const keyless = {
      ...env,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    expect(await embed(input, 's3://vectors/rows.npy', keyless)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no credentials for s3://vectors'),
    });
    expect(s3.requests.flatMap(names)).toEqual([]);
  });
});

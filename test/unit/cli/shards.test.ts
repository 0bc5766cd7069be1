/**
 * Shards in a bucket of a real S3 server (s3rver) over HTTP, including refusals, overload and broken
 * connections.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { VectorRows } from '@embedmill/contract';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  loadShards,
  type ShardChoices,
  type ShardManifest,
} from '../../../apps/cli/src/commands/load/shards.ts';
import { openBucket } from '../../../apps/cli/src/io/objects/s3.ts';
import { readObjectUrl } from '../../../apps/cli/src/io/objects/url.ts';
import { openVectors } from '../../../apps/cli/src/io/vectors/open.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import { vectorFile } from '../../support/vector-file.ts';
import { unitRows } from '../sinks/vectors.ts';

const rows = unitRows(25, 8, { absentEvery: 6 });

beforeEach(() => {
  // AWS's client reads keys from here. Nothing of the machine's own is to be found.
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
  return () => vi.unstubAllEnvs();
});

async function bucketOf(s3: TestS3, name = 'vectors', signal = new AbortController().signal) {
  const bucket = await openBucket(name, { environment: s3.environment, signal });
  onTestFinished(() => bucket.close());
  return bucket;
}

interface LoadOptions extends Partial<ShardChoices> {
  overwrite?: boolean;
  signal?: AbortSignal;
  onRetry?: (reason: string) => void;
}

/** Loads rows into `reviews/` in shards of ten. */
async function loadInto(s3: TestS3, given: VectorRows, options: LoadOptions = {}) {
  const {
    overwrite = false,
    signal = new AbortController().signal,
    onRetry = () => {},
    ...choices
  } = options;
  return loadShards({
    file: vectorFile(given),
    bucket: await bucketOf(s3, 'vectors', signal),
    prefix: 'reviews/',
    choices: { format: 'parquet', dtype: 'float32', shardRows: 10, ...choices },
    overwrite,
    onRows: () => {},
    onRetry,
    signal,
  });
}

/** Keys and texts of everything in the bucket. */
async function objectsIn(s3: TestS3): Promise<Map<string, Buffer>> {
  const bucket = await bucketOf(s3);
  const objects = new Map<string, Buffer>();
  for await (const key of bucket.list('')) objects.set(key, await s3.read(key));
  return objects;
}

async function manifestIn(s3: TestS3): Promise<ShardManifest | null> {
  const text = await (await bucketOf(s3)).getText('reviews/_manifest.json');
  return text === null ? null : JSON.parse(text);
}

/** The objects of the bucket as files of a folder. */
async function download(s3: TestS3): Promise<string> {
  const folder = temporaryFolder();
  for (const [key, bytes] of await objectsIn(s3)) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
  return folder;
}

const writes = (s3: TestS3) => s3.requests.filter((request) => /^(PUT|POST|DELETE)/.test(request));

describe('shards', () => {
  test('hold every row in order, and are listed in the manifest', async () => {
    const s3 = await startS3();
    expect(await loadInto(s3, rows)).toEqual({
      rows: 21,
      missing: 4,
      store: '3 shards at s3://vectors/reviews/',
    });
    expect(await manifestIn(s3)).toMatchObject({
      version: 1,
      format: 'parquet',
      dtype: 'float32',
      shardRows: 10,
      dim: 8,
      rows: 25,
      rowsWithoutVector: 4,
      shards: [
        { name: 'part-00000.parquet', rows: 10 },
        { name: 'part-00001.parquet', rows: 10 },
        { name: 'part-00002.parquet', rows: 5 },
      ],
    });
    expect(writes(s3).at(-1)).toMatch(/^PUT \/reviews\/_manifest.json/);

    const duckdb = await (await DuckDBInstance.create()).connect();
    const read = await duckdb.runAndReadAll(
      `SELECT id, vector FROM '${join(await download(s3), 'reviews', '*.parquet')}'`,
    );
    expect(read.getRowsJS()).toEqual(
      rows.ids.map((id, row) => [
        id,
        rows.present[row] === 1 ? [...rows.vectors.subarray(row * 8, row * 8 + 8)] : null,
      ]),
    );
  });

  test.each([
    ['arrow', 'float16'],
    ['jsonl', 'int8'],
  ] as const)('come as %s of %s too', async (format, dtype) => {
    const s3 = await startS3();
    await loadInto(s3, rows, { format, dtype });
    const file = await openVectors(join(await download(s3), 'reviews', `part-00001.${format}`));
    for await (const { ids, vectors } of file.read()) {
      expect(ids).toEqual(rows.ids.slice(10, 20));
      expect(vectors[2]).toBeCloseTo(rows.vectors[82]!, 1);
    }
  });

  test('of an empty file are a manifest only', async () => {
    const s3 = await startS3();
    await loadInto(s3, unitRows(0, 8));
    expect([...(await objectsIn(s3)).keys()]).toEqual(['reviews/_manifest.json']);
  });

  test('are not sent again if they exist', async () => {
    const s3 = await startS3();
    await loadInto(s3, rows);
    s3.requests.length = 0;
    expect(await loadInto(s3, rows)).toMatchObject({ rows: 21 });
    expect(writes(s3)).toEqual([]);
  });

  test('resume after an interruption, and are complete only then', async () => {
    const s3 = await startS3();
    const interrupt = new AbortController();
    s3.filter = (request) => {
      if (request.startsWith('PUT /reviews/part-00002')) interrupt.abort(new Error('stopped by a signal'));
      return 'pass';
    };
    await expect(loadInto(s3, rows, { signal: interrupt.signal })).rejects.toThrow('stopped by a signal');
    expect(await manifestIn(s3)).toBeNull();
    s3.filter = () => 'pass';
    s3.requests.length = 0;
    await loadInto(s3, rows);
    expect(writes(s3).filter((request) => /part-0000[01]/.test(request))).toEqual([]);
    expect((await manifestIn(s3))?.shards).toHaveLength(3);
  });

  test('of another set are replaced only with overwrite, and all of them', async () => {
    const s3 = await startS3();
    await loadInto(s3, rows);
    await (await bucketOf(s3)).putText('reviews/notes.json', '{}');
    const before = await objectsIn(s3);
    const other = unitRows(12, 8, { seed: 3 });
    await expect(loadInto(s3, other)).rejects.toMatchObject({
      code: 'store-refused',
      message:
        's3://vectors/reviews/ holds other shards: 25 rows × 8 as parquet of float32, 10 rows each; add --overwrite to replace them',
    });
    expect(await objectsIn(s3)).toEqual(before);

    await loadInto(s3, other, { overwrite: true, format: 'jsonl' });
    expect([...(await objectsIn(s3)).keys()]).toEqual([
      'reviews/_manifest.json',
      'reviews/notes.json',
      'reviews/part-00000.jsonl',
      'reviews/part-00001.jsonl',
    ]);
  });

  test('with the same beginning but another number are another set', async () => {
    const s3 = await startS3();
    await loadInto(s3, rows);
    const fewer = {
      ...rows,
      ids: rows.ids.slice(0, 20),
      vectors: rows.vectors.slice(0, 160),
      present: rows.present.slice(0, 20),
    };
    await expect(loadInto(s3, fewer)).rejects.toMatchObject({ code: 'store-refused' });
    expect((await manifestIn(s3))?.shards).toHaveLength(3);
  });

  test('that were deleted are sent again', async () => {
    const s3 = await startS3();
    await loadInto(s3, rows);
    await (await bucketOf(s3)).delete('reviews/part-00001.parquet');
    await loadInto(s3, rows);
    expect([...(await objectsIn(s3)).keys()]).toHaveLength(4);
  });
});

describe('a store', () => {
  test('is retried while it is overloaded', async () => {
    const s3 = await startS3();
    let refusals = 3;
    s3.filter = (request) =>
      request.startsWith('PUT /reviews/part-00001') && refusals-- > 0 ? 'busy' : 'pass';
    const reasons: string[] = [];
    await loadInto(s3, rows, { onRetry: (reason) => reasons.push(reason) });
    expect(reasons).toEqual([expect.stringMatching(/^s3:\/\/vectors reports SlowDown/)]);
    expect((await manifestIn(s3))?.rows).toBe(25);
  });

  test('has the complete file although a part of a large upload was interrupted', async () => {
    const s3 = await startS3();
    let cuts = 2;
    s3.filter = (request) => (request.includes('partNumber=2') && cuts-- > 0 ? 'cut' : 'pass');
    const large = unitRows(14_000, 384);
    await loadInto(s3, large, { shardRows: 20_000 });
    expect(s3.requests.filter((request) => request.includes('partNumber=2')).length).toBeGreaterThanOrEqual(
      3,
    );
    const file = await openVectors(join(await download(s3), 'reviews', 'part-00000.parquet'));
    const bytes: Uint8Array[] = [];
    for await (const { vectors } of file.read()) bytes.push(new Uint8Array(vectors.buffer));
    expect(Buffer.concat(bytes).equals(new Uint8Array(large.vectors.buffer))).toBe(true);
  });

  test('deletes the stored parts of a failed upload', async () => {
    const s3 = await startS3();
    s3.filter = (request) => (request.includes('partNumber=2') ? 'busy' : 'pass');
    const path = join(temporaryFolder(), 'large.bin');
    writeFileSync(path, Buffer.alloc(20_000_000, 7));
    const file = { path, bytes: 20_000_000, sha256: 'x', contentType: 'application/octet-stream' };
    await expect((await bucketOf(s3)).put('large.bin', file)).rejects.toMatchObject({
      code: 'store-unavailable',
      retryable: true,
    });
    expect(s3.requests).toContainEqual(expect.stringMatching(/^DELETE \/large.bin\?.*uploadId=/));
    expect([...(await objectsIn(s3)).keys()]).toEqual([]);
  });

  test.each([
    ['without the bucket', 'another', {}, 'there is no bucket "another"'],
    [
      'that does not know the keys',
      'vectors',
      { AWS_ACCESS_KEY_ID: 'wrong' },
      'access to s3://vectors denied (InvalidAccessKeyId',
    ],
    [
      'for which there are no keys',
      'vectors',
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      'no credentials for s3://vectors',
    ],
  ])('%s is reported without a retry', async (_, name, environment, words) => {
    const s3 = await startS3();
    for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
    const written = (await bucketOf(s3, name)).putText('reviews/_manifest.json', '{}');
    await expect(written).rejects.toMatchObject({
      code: 'store-refused',
      message: expect.stringContaining(words),
    });
    expect(s3.requests.length).toBeLessThanOrEqual(1);
  });

  test('that does not respond is named, as a temporary failure', async () => {
    const environment = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    const bucket = await openBucket('vectors', { environment, signal: new AbortController().signal });
    onTestFinished(() => bucket.close());
    await expect(bucket.getText('x')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/^s3:\/\/vectors reports .*ECONNREFUSED/),
    });
  });
});

test.each([
  ['s3://bucket', { bucket: 'bucket', key: '' }],
  ['s3://my.bucket-1/a b/ü%20.npy', { bucket: 'my.bucket-1', key: 'a b/ü%20.npy' }],
])('%s is the URL of an object', (given, place) => {
  expect(readObjectUrl(given)).toEqual(place);
});

test.each(['s3://', 's3:///key', 's3://B/key', 's3://a_b/key'])('%s is not the URL of an object', (given) => {
  expect(() => readObjectUrl(given)).toThrow('is not the URL of an object; expected s3://bucket/folder/name');
});

/**
 * Loads a vector file into a bucket, as shards with a manifest.
 *
 * A prefix is in one of three states. *Empty*: no manifest, no shards. *Unfinished*: shards without a
 * manifest, which readers ignore. *Complete*: a manifest, written last, that lists all shards. A load takes a
 * prefix from any state to complete. It deletes the manifest before it changes the first shard of a complete
 * set, so that a manifest never lists shards other than its own.
 */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Dtype, EmbedmillError, type VectorRows } from '@embedmill/contract';
import { FORMATS, groupSlices, type OutputShape } from '@embedmill/core/formats';
import type { Bucket, ObjectFile } from '../../io/objects/types.ts';
import type { LoadReport } from '../../io/stores/load.ts';
import { type RetryDeps, retryRequest } from '../../io/stores/retry.ts';
import type { VectorFile } from '../../io/vectors/types.ts';

/** Formats of shards: those with ids. */
export const SHARD_FORMATS = ['parquet', 'arrow', 'jsonl'] as const;

/** How a set of shards is written. */
export interface ShardChoices {
  format: (typeof SHARD_FORMATS)[number];
  dtype: Dtype;
  /** Rows per shard; the last one may have fewer. */
  shardRows: number;
}

/** Dependencies and options of {@link loadShards}. */
export interface ShardDeps extends RetryDeps {
  file: VectorFile;
  bucket: Bucket;
  /** Prefix of all keys: '', or it ends with a slash. */
  prefix: string;
  choices: ShardChoices;
  /** Whether a complete set of other shards may be replaced. */
  overwrite: boolean;
  /** Receives the number of rows stored so far. */
  onRows: (rows: number) => void;
}

/** The object that marks a set as complete and lists its shards. Public interface. */
export interface ShardManifest extends ShardChoices {
  version: 1;
  /** Numbers per vector. */
  dim: number;
  /** All rows, including those without a vector. */
  rows: number;
  rowsWithoutVector: number;
  /** Shards in row order; `sha256` is in hexadecimal. */
  shards: { name: string; rows: number; bytes: number; sha256: string }[];
}

const MANIFEST = '_manifest.json';

/** Names of shards of any format. */
const SHARD_NAME = /^part-\d{5,}\.(parquet|arrow|jsonl)$/;

/**
 * Writes every row of the file, with null for missing vectors. Existing shards with the same contents are not
 * sent again, so the same command resumes. Holds the vectors of one shard in memory and its encoding in a
 * temporary file.
 * @throws {EmbedmillError} `store-refused` when a complete set of other shards exists and `overwrite` is
 * false
 */
export async function loadShards(deps: ShardDeps): Promise<LoadReport> {
  const { file, bucket, prefix, choices, onRows } = deps;
  const before = await readManifest(deps);
  const after: ShardManifest = { version: 1, ...choices, dim: 0, rows: 0, rowsWithoutVector: 0, shards: [] };
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-'));
  let isComplete = before !== null;
  const markUnfinished = async () => {
    if (!isComplete) return;
    assertReplaceable(before, deps);
    await bucket.delete(`${prefix}${MANIFEST}`);
    isComplete = false;
  };
  try {
    for await (const slices of groupSlices(file.read(), choices.shardRows)) {
      const name = `part-${String(after.shards.length).padStart(5, '0')}.${choices.format}`;
      const rows = slices.reduce((sum, { ids }) => sum + ids.length, 0);
      const shape = { rows, dim: slices[0]!.dim };
      const draft = await writeShard(join(folder, name), { slices, shape, choices });
      const { bytes, sha256 } = draft;
      if (before?.shards[after.shards.length]?.sha256 !== sha256) await markUnfinished();
      await retryRequest(async () => {
        const stored = await bucket.stat(`${prefix}${name}`);
        if (stored?.sha256 !== sha256 || stored.bytes !== bytes) await bucket.put(`${prefix}${name}`, draft);
      }, deps);
      await rm(draft.path);
      after.shards.push({ name, rows, bytes, sha256 });
      after.dim = shape.dim;
      after.rows += rows;
      after.rowsWithoutVector += slices.reduce((sum, { present }) => sum + countZeros(present), 0);
      onRows(after.rows);
    }
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      await markUnfinished();
      await deleteOtherShards(deps, after);
      const text = `${JSON.stringify(after, null, 2)}\n`;
      await retryRequest(() => bucket.putText(`${prefix}${MANIFEST}`, text), deps);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { rows, rowsWithoutVector, shards } = after;
  return {
    rows: rows - rowsWithoutVector,
    missing: rowsWithoutVector,
    store: `${shards.length === 1 ? '1 shard' : `${shards.length} shards`} at s3://${bucket.name}/${prefix}`,
  };
}

/** The manifest of a complete set; `null` if it is missing or not recognized. */
async function readManifest({ bucket, prefix, ...retry }: ShardDeps): Promise<ShardManifest | null> {
  const text = await retryRequest(() => bucket.getText(`${prefix}${MANIFEST}`), retry);
  if (text === null) return null;
  try {
    const manifest: ShardManifest = JSON.parse(text);
    return manifest.version === 1 && Array.isArray(manifest.shards) ? manifest : null;
  } catch {
    return null;
  }
}

function assertReplaceable(before: ShardManifest | null, { bucket, prefix, overwrite }: ShardDeps): void {
  if (overwrite || before === null) return;
  throw new EmbedmillError(
    'store-refused',
    `s3://${bucket.name}/${prefix} holds other shards: ${before.rows} rows × ${before.dim} as ${before.format} of ` +
      `${before.dtype}, ${before.shardRows} rows each; add --overwrite to replace them`,
  );
}

/** Deletes shards of an earlier set that are not in this one. Other objects are kept. */
async function deleteOtherShards(
  { bucket, prefix, ...retry }: ShardDeps,
  { shards }: ShardManifest,
): Promise<void> {
  const names = new Set(shards.map(({ name }) => name));
  for await (const key of bucket.list(`${prefix}part-`)) {
    const name = key.slice(prefix.length);
    if (SHARD_NAME.test(name) && !names.has(name)) await retryRequest(() => bucket.delete(key), retry);
  }
}

async function writeShard(
  path: string,
  { slices, shape, choices }: { slices: readonly VectorRows[]; shape: OutputShape; choices: ShardChoices },
): Promise<ObjectFile> {
  const { encode, contentType } = FORMATS[choices.format];
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed() {
    for await (const chunk of encode(each(slices), shape, { dtype: choices.dtype })) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  await pipeline(hashed(), createWriteStream(path));
  return { path, bytes, sha256: hash.digest('hex'), contentType };
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function countZeros(marks: Uint8Array): number {
  return marks.reduce((sum, mark) => sum + (mark === 0 ? 1 : 0), 0);
}

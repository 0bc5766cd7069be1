/**
 * Brings a file of vectors into a bucket, as shards with a manifest; `embedmill load` calls it for `s3://…`.
 *
 * A prefix is in one of three states. *Nothing there*: no manifest, no shards. *Unfinished*: shards, but no manifest, which readers
 * take for nothing. *Complete*: a manifest that names all shards, the last object to be written. A load takes a prefix from
 * any of them to complete; it removes the manifest before it changes the first shard of a complete set, so that no
 * manifest ever names shards that are not those it was written for.
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
import type { VectorFile } from '../../io/vectors/types.ts';
import type { LoadReport } from './load.ts';
import { type Repetition, repeat } from './repeat.ts';

/** Formats of shards: those that have room for the ids. */
export const SHARD_FORMATS = ['parquet', 'arrow', 'jsonl'] as const;

/** What a set of shards is made of. */
export interface ShardChoices {
  format: (typeof SHARD_FORMATS)[number];
  dtype: Dtype;
  /** Rows of every shard but the last, which may have fewer. */
  shardRows: number;
}

/** What a load into a bucket works with. */
export interface ShardDeps extends Repetition {
  file: VectorFile;
  bucket: Bucket;
  /** Begins the keys of all objects; '' or ends with a slash. */
  prefix: string;
  choices: ShardChoices;
  /** Replaces another set of shards that is complete. */
  overwrite: boolean;
  onRows: (rows: number) => void;
}

/** The object that says that a set is complete, and what belongs to it. Part of the interface. */
export interface ShardManifest extends ShardChoices {
  version: 1;
  dim: number;
  /** With those without a vector. */
  rows: number;
  rowsWithoutVector: number;
  /** In the order of the rows. */
  shards: { name: string; rows: number; bytes: number; sha256: string }[];
}

const MANIFEST = '_manifest.json';

/** Names of shards, of any format. */
const SHARD_NAME = /^part-\d{5,}\.(parquet|arrow|jsonl)$/;

/**
 * Writes every row of the file, null where one has no vector. A shard that is there with the same contents is not sent again, so the
 * same command continues what was interrupted. Holds the vectors of one shard in memory, and its bytes in a file.
 * @throws {EmbedmillError} `store-refused` when another set is complete there and is not to be replaced
 */
export async function loadShards(parts: ShardDeps): Promise<LoadReport> {
  const { file, bucket, prefix, choices, onRows } = parts;
  const before = await readManifest(parts);
  const after: ShardManifest = { version: 1, ...choices, dim: 0, rows: 0, rowsWithoutVector: 0, shards: [] };
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-'));
  let isWhole = before !== null;
  /** From here on the set of before is no more. */
  const begin = async () => {
    if (!isWhole) return;
    refuseToReplace(before, parts);
    await bucket.delete(`${prefix}${MANIFEST}`);
    isWhole = false;
  };
  try {
    for await (const slices of groupSlices(file.read(), choices.shardRows)) {
      const name = `part-${String(after.shards.length).padStart(5, '0')}.${choices.format}`;
      const rows = slices.reduce((sum, { ids }) => sum + ids.length, 0);
      const shape = { rows, dim: slices[0]!.dim };
      const draft = await writeShard(join(folder, name), { slices, shape, choices });
      const { bytes, sha256 } = draft;
      if (before?.shards[after.shards.length]?.sha256 !== sha256) await begin();
      await repeat(async () => {
        const there = await bucket.look(`${prefix}${name}`);
        if (there?.sha256 !== sha256 || there.bytes !== bytes) await bucket.put(`${prefix}${name}`, draft);
      }, parts);
      await rm(draft.path);
      after.shards.push({ name, rows, bytes, sha256 });
      after.dim = shape.dim;
      after.rows += rows;
      after.rowsWithoutVector += slices.reduce((sum, { present }) => sum + countZeros(present), 0);
      onRows(after.rows);
    }
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      await begin();
      await removeOthers(parts, after);
      const text = `${JSON.stringify(after, null, 2)}\n`;
      await repeat(() => bucket.putText(`${prefix}${MANIFEST}`, text), parts);
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

/** The manifest of a complete set; `null` where there is none, or one that is none of ours. */
async function readManifest({ bucket, prefix, ...repetition }: ShardDeps): Promise<ShardManifest | null> {
  const text = await repeat(() => bucket.getText(`${prefix}${MANIFEST}`), repetition);
  if (text === null) return null;
  try {
    const manifest: ShardManifest = JSON.parse(text);
    return manifest.version === 1 && Array.isArray(manifest.shards) ? manifest : null;
  } catch {
    return null;
  }
}

function refuseToReplace(before: ShardManifest | null, { bucket, prefix, overwrite }: ShardDeps): void {
  if (overwrite || before === null) return;
  throw new EmbedmillError(
    'store-refused',
    `s3://${bucket.name}/${prefix} holds other shards: ${before.rows} rows × ${before.dim} as ${before.format} of ${before.dtype}, ` +
      `${before.shardRows} rows each; add --overwrite to replace them`,
  );
}

/** Removes shards that an earlier set had and this one has not. Other objects stay. */
async function removeOthers(
  { bucket, prefix, ...repetition }: ShardDeps,
  { shards }: ShardManifest,
): Promise<void> {
  const names = new Set(shards.map(({ name }) => name));
  for await (const key of bucket.list(`${prefix}part-`)) {
    const name = key.slice(prefix.length);
    if (SHARD_NAME.test(name) && !names.has(name)) await repeat(() => bucket.delete(key), repetition);
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

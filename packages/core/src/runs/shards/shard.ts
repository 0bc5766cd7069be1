/** Shard file format: the encoded results of some batches of one run. */

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type BatchSummary, CorruptError } from '@embedmill/contract';
import type { AppendedFileDeps } from '../../process/disk/appended-file.ts';
import { syncFolder } from '../../process/disk/sync-folder.ts';
import { CLAIM, publish } from './publish.ts';

/** A batch to be stored. */
export interface ShardBatch {
  batch: number;
  /** `encodeBatchResult` bytes. */
  result: Uint8Array;
  summary: BatchSummary;
  /** `LedgerBatch.digest`: identity of its rows. */
  digest: string;
}

/** A batch in a shard file. */
export interface ShardEntry {
  batch: number;
  /** Position and length of its result in the file, in bytes. */
  offset: number;
  bytes: number;
  summary: BatchSummary;
  /** `LedgerBatch.digest`: identity of its rows; absent in shards written before 0.2. */
  digest?: string;
}

/*
 * Results back to back, then the entries as JSON, then a trailer of 12 bytes, little-endian:
 * u32 bytes of the JSON, u32 CRC-32 of the JSON, magic `EMS1`. Each result carries a CRC of its own.
 */
const MAGIC = 0x31534d45; // 'EMS1'
const TRAILER_BYTES = 12;
const NAME = /^(\d{8})\.shard$/;

/** Shard files of a folder. */
export interface ShardList {
  /** File names in order. */
  shards: string[];
  /** Names of the temporary files that a crash left. */
  temporary: string[];
  /** Highest number in use; -1 for none. A claim left by a crash uses up its number. */
  last: number;
}

/** Lists the shards of a folder; nothing is written. A missing folder has none. */
export async function listShards(folder: string): Promise<ShardList> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const temporary = names.filter((name) => name.endsWith('.tmp'));
  const shards = names.filter((name) => NAME.test(name)).sort();
  const claimed = names.filter((name) => name.endsWith(CLAIM)).map((name) => name.slice(0, -CLAIM.length));
  const last = [...shards, ...claimed].sort().at(-1);
  return { shards, temporary, last: last === undefined ? -1 : Number.parseInt(last, 10) };
}

/** File name of the shard with this number. */
export function shardName(number: number): string {
  return `${String(number).padStart(8, '0')}.shard`;
}

/**
 * Writes a shard: temporary file, fsync, final name, fsync of the folder. When it resolves, the shard
 * survives a power cut. An existing shard is never replaced: if two producers ever used one folder, the
 * slower one would fail.
 * @throws with code `EEXIST` when the name is in use
 */
export async function writeShard(
  folder: string,
  name: string,
  batches: readonly ShardBatch[],
  { assertWritable }: AppendedFileDeps,
): Promise<ShardEntry[]> {
  assertWritable();
  let offset = 0;
  const entries = batches.map(({ batch, digest, result, summary }): ShardEntry => {
    const entry = { batch, digest, offset, bytes: result.byteLength, summary };
    offset += result.byteLength;
    return entry;
  });
  const json = Buffer.from(JSON.stringify(entries));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(json.byteLength, 0);
  trailer.writeUInt32LE(crc32(json), 4);
  trailer.writeUInt32LE(MAGIC, 8);

  const temporary = join(folder, `${name}.${randomUUID()}.tmp`);
  const path = join(folder, name);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for (const { result } of batches) await writeAll(file, result);
      await writeAll(file, json);
      await writeAll(file, trailer);
      await file.sync();
    } finally {
      await file.close();
    }
    assertWritable();
    await publish(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  try {
    await syncFolder(folder);
  } catch (error) {
    // The shard does not count as stored, so the next attempt needs its name.
    await rm(path, { force: true });
    throw error;
  }
  return entries;
}

/** Opens a shard for reading. @throws {CorruptError} `corrupt-shard` when it is missing */
export async function openShard(path: string): Promise<FileHandle> {
  return await open(path, 'r').catch((error) => {
    throw error.code === 'ENOENT' ? new CorruptError('corrupt-shard', `${path} is missing`) : error;
  });
}

/**
 * The entries of a shard.
 * @throws {CorruptError} `corrupt-shard`
 */
export async function readShardEntries(file: FileHandle, path: string): Promise<ShardEntry[]> {
  const { size } = await file.stat();
  const trailer = await readSpan(file, path, size - TRAILER_BYTES, TRAILER_BYTES);
  const jsonBytes = trailer.readUInt32LE(0);
  if (trailer.readUInt32LE(8) !== MAGIC || jsonBytes > size - TRAILER_BYTES)
    throw corrupt(path, 'its trailer is not that of a shard');
  const json = await readSpan(file, path, size - TRAILER_BYTES - jsonBytes, jsonBytes);
  if (crc32(json) !== trailer.readUInt32LE(4))
    throw corrupt(path, 'the checksum of its batch list does not match');
  return JSON.parse(json.toString()) as ShardEntry[];
}

/**
 * Bytes of one result; the caller verifies them with `decodeBatchResult`.
 * @throws {CorruptError} `corrupt-shard`
 */
export function readShardResult(file: FileHandle, path: string, entry: ShardEntry): Promise<Buffer> {
  return readSpan(file, path, entry.offset, entry.bytes);
}

async function readSpan(file: FileHandle, path: string, offset: number, bytes: number): Promise<Buffer> {
  const span = Buffer.allocUnsafe(bytes);
  const { bytesRead } = offset < 0 ? { bytesRead: -1 } : await file.read(span, 0, bytes, offset);
  if (bytesRead !== bytes) throw corrupt(path, `it is shorter than ${offset + bytes} bytes`);
  return span;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}

function corrupt(path: string, why: string): CorruptError {
  return new CorruptError('corrupt-shard', `${path} is damaged: ${why}`);
}

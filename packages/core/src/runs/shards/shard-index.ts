/** Index of the shard files of one run: finds, reads and writes results by batch number. */

import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BatchSummary } from '@embedmill/contract';
import type { AppendedFileDeps } from '../../process/disk/appended-file.ts';
import { syncFolder } from '../../process/disk/sync-folder.ts';
import { decodeTokenCounts, tokenCountsSpan } from '../../redis/batch/result.ts';
import {
  listShards,
  openShard,
  readShardEntries,
  readShardResult,
  type ShardBatch,
  type ShardEntry,
  shardName,
  writeShard,
} from './shard.ts';

/**
 * Knows files only; whether a batch counts as stored is decided by `ResultStore`.
 * @see writeShard for durability
 */
export class ShardIndex {
  /** Numbers of batches in shards that are not those of the ledger: it is older than the shards, a copy was restored. */
  readonly foreign: number[] = [];
  readonly #folder: string;
  readonly #places = new Map<number, { shard: string; entry: ShardEntry }>();
  /** Number of the newest shard. */
  #last: number;
  #bytes = 0;

  readonly #deps: AppendedFileDeps;

  private constructor(folder: string, last: number, deps: AppendedFileDeps) {
    this.#folder = folder;
    this.#deps = deps;
    this.#last = last;
  }

  /**
   * Reads the entries of all shards in the folder that belong to the run, then removes temporary files that a crash left.
   * @param belongs whether an entry is of the batch with its number in the ledger
   * @throws {CorruptError} `corrupt-shard`
   */
  static async open(
    folder: string,
    belongs: (entry: ShardEntry) => boolean,
    deps: AppendedFileDeps,
  ): Promise<ShardIndex> {
    const { shards, temporary, last } = await listShards(folder);
    const index = new ShardIndex(folder, last, deps);
    for (const shard of shards) {
      const path = join(folder, shard);
      const file = await openShard(path);
      try {
        const entries = await readShardEntries(file, path);
        index.#bytes += (await file.stat()).size;
        index.#place(shard, entries.filter(belongs));
        index.foreign.push(...entries.filter((entry) => !belongs(entry)).map(({ batch }) => batch));
      } finally {
        await file.close();
      }
    }
    if (temporary.length > 0) deps.assertWritable();
    // They hold nothing that counts; what cannot be removed now stays until the next start.
    for (const name of temporary) await rm(join(folder, name), { force: true }).catch(() => {});
    return index;
  }

  /** Batches on disk. */
  get size(): number {
    return this.#places.size;
  }

  /** Size of all shards. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when the batch is in a shard. */
  has(batch: number): boolean {
    return this.#places.has(batch);
  }

  /** All batches on disk and their summaries. */
  *summaries(): Iterable<{ batch: number; summary: BatchSummary }> {
    for (const [batch, { entry }] of this.#places) yield { batch, summary: entry.summary };
  }

  /** Writes batches to a new shard; when it resolves, they survive a power cut. Calls must not overlap. */
  async store(batches: readonly ShardBatch[]): Promise<void> {
    const number = this.#last + 1;
    const shard = shardName(number);
    await makeFolder(this.#folder);
    this.#place(shard, await writeShard(this.#folder, shard, batches, this.#deps));
    this.#last = number;
    // The shard is stored, whether its size can be read or not.
    this.#bytes += await stat(join(this.#folder, shard)).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /** The encoded result of a batch; `null` when it is in no shard. @throws {CorruptError} `corrupt-shard` */
  async read(batch: number): Promise<Uint8Array | null> {
    const place = this.#places.get(batch);
    if (place === undefined) return null;
    // Opened for each batch: opening costs a hundredth of reading, and no handle has to be kept and closed.
    const path = join(this.#folder, place.shard);
    const file = await openShard(path);
    try {
      return await readShardResult(file, path, place.entry);
    } finally {
      await file.close();
    }
  }

  /**
   * Token counts of every batch on disk, one array per batch; each shard is opened once and no vector is
   * read.
   * @param dim floats per vector
   */
  async *tokenCounts(dim: number): AsyncGenerator<Uint32Array> {
    const shards = new Map<string, ShardEntry[]>();
    for (const { shard, entry } of this.#places.values()) {
      const entries = shards.get(shard) ?? [];
      shards.set(shard, entries);
      entries.push(entry);
    }
    for (const [shard, entries] of shards) {
      const path = join(this.#folder, shard);
      const file = await openShard(path);
      try {
        for (const entry of entries) {
          const { offset, bytes } = tokenCountsSpan(entry.summary.rows, dim);
          const area = { ...entry, offset: entry.offset + offset, bytes };
          yield decodeTokenCounts(await readShardResult(file, path, area));
        }
      } finally {
        await file.close();
      }
    }
  }

  #place(shard: string, entries: readonly ShardEntry[]): void {
    // A batch is in two shards after a crash between rename and acknowledgement (same bytes), or after a
    // retry: the later shard counts.
    for (const entry of entries) this.#places.set(entry.batch, { shard, entry });
  }
}

/** Creates a folder in an existing one, unless it exists. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  await syncFolder(dirname(folder));
}

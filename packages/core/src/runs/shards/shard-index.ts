/** The shards of one run: which batches are on disk, where, and how to read them; the run owns one. */

import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchSummary } from '@embedmill/contract';
import { decodeTokenCounts, tokenCountsSpan } from '../../redis/batch/result.ts';
import {
  listShards,
  readShardEntries,
  readShardResult,
  type ShardBatch,
  type ShardEntry,
  shardName,
  writeShard,
} from './shard.ts';

/** @see writeShard for what makes a stored batch durable */
export class ShardIndex {
  readonly #folder: string;
  readonly #places = new Map<number, { shard: string; entry: ShardEntry }>();
  /** Number of the newest shard. */
  #last: number;

  private constructor(folder: string, last: number) {
    this.#folder = folder;
    this.#last = last;
  }

  /** Opens the folder, made if missing, and reads what is in it. */
  static async open(folder: string): Promise<ShardIndex> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { shards, last } = await listShards(folder);
    const index = new ShardIndex(folder, last);
    for (const shard of shards) {
      const path = join(folder, shard);
      const file = await open(path, 'r');
      try {
        index.#place(shard, await readShardEntries(file, path));
      } finally {
        await file.close();
      }
    }
    return index;
  }

  /** Batches on disk. */
  get size(): number {
    return this.#places.size;
  }

  has(batch: number): boolean {
    return this.#places.has(batch);
  }

  /** All batches on disk and their summaries. */
  *summaries(): Iterable<{ batch: number; summary: BatchSummary }> {
    for (const [batch, { entry }] of this.#places) yield { batch, summary: entry.summary };
  }

  /** Puts batches on disk; when it resolves they survive a power cut. Calls must not overlap. */
  async store(batches: readonly ShardBatch[]): Promise<void> {
    const number = this.#last + 1;
    const shard = shardName(number);
    this.#place(shard, await writeShard(this.#folder, shard, batches));
    this.#last = number;
  }

  /** The result of a batch as it was stored; `null` when it is not on disk. */
  async read(batch: number): Promise<Uint8Array | null> {
    const place = this.#places.get(batch);
    if (place === undefined) return null;
    // Opened for each batch: it costs a hundredth of reading one, and there is nothing to keep or to close later.
    const path = join(this.#folder, place.shard);
    const file = await open(path, 'r');
    try {
      return await readShardResult(file, path, place.entry);
    } finally {
      await file.close();
    }
  }

  /** Tokens of the texts of every batch on disk, `dim` floats per vector; each shard is opened once and no vector is read. */
  async *tokenCounts(dim: number): AsyncGenerator<Uint32Array> {
    const shards = new Map<string, ShardEntry[]>();
    for (const { shard, entry } of this.#places.values()) {
      const entries = shards.get(shard) ?? [];
      shards.set(shard, entries);
      entries.push(entry);
    }
    for (const [shard, entries] of shards) {
      const path = join(this.#folder, shard);
      const file = await open(path, 'r');
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
    // A batch stored twice has the same bytes in both places (a crash between rename and acknowledgement), or some of its
    // rows were retried: the later shard counts.
    for (const entry of entries) this.#places.set(entry.batch, { shard, entry });
  }
}

/** The data folder of a producer: its lease, and the runs, files and batches in it. */

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, UnavailableError } from '@embedmill/contract';
import { type Config, Releasers } from '@embedmill/core/process';
import {
  AbandonedResults,
  type BullBatchQueue,
  type Keys,
  Lease,
  type RedisExchange,
} from '@embedmill/core/redis';
import { Collector, type Credits, MemoryGate, Runs } from '@embedmill/core/runs';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { OpenAiBatchStore } from './openai/batches/batch-store.ts';
import { FileStore } from './openai/files/file-store.ts';

/** What a data folder works with. */
export interface DataDirDeps {
  /** From `readDataDirId`. */
  id: string;
  config: Config;
  keys: Keys;
  redis: Redis;
  /** The connection of the collector's blocking reads. */
  blocking: Redis;
  exchange: RedisExchange;
  queue: BullBatchQueue;
  credits: Credits;
  /** What work for a model waits for; `null` for nothing. */
  missingFor: (model: string) => string | null;
  /** Called after each batch is on disk, with the seconds since its commit. */
  onDrained: (seconds: number) => void;
  log: Logger;
}

/** What is open while this producer holds the lease. */
interface Opened {
  runs: Runs;
  files: FileStore;
  batches: OpenAiBatchStore;
  collector: Collector;
  gate: MemoryGate;
}

/**
 * States: `waiting` (for Redis and for the lease; access to runs, files and batches throws) → `open` →
 * stopped.
 *
 * Redis may become unavailable and return while the folder is `open`. If another producer takes the lease,
 * `whenLost` resolves and nothing may be written any more.
 */
export class DataDir {
  /** Resolves when another producer has taken over the folder. */
  readonly whenLost: Promise<Error>;
  readonly #deps: DataDirDeps;
  readonly #lease: Lease;
  readonly #releasers = new Releasers();
  #opened: Opened | undefined;
  #opening: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(deps: DataDirDeps) {
    const { id, config, keys, redis, log } = deps;
    this.#deps = deps;
    let reject: (error: Error) => void;
    this.whenLost = new Promise((resolve) => {
      reject = resolve;
    });
    this.#lease = new Lease({
      redis,
      key: keys.lease(id),
      log,
      onLost: () => reject(new Error(`another producer took over the data folder ${config.dataDir}`)),
    });
  }

  /** Starts to wait for the lease and opens the folder once it is held. */
  start(): void {
    this.#opening = this.#open().catch((error) => {
      if (!this.#isStopping)
        this.#deps.log.fatal({ reason: asError(error).message }, 'the data folder cannot be opened');
    });
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  /** @throws {UnavailableError} `redis-unavailable` unless the folder is open */
  get runs(): Runs {
    return this.#assertOpen().runs;
  }

  /** @throws {UnavailableError} `redis-unavailable` unless the folder is open */
  get files(): FileStore {
    return this.#assertOpen().files;
  }

  /** @throws {UnavailableError} `redis-unavailable` unless the folder is open */
  get batches(): OpenAiBatchStore {
    return this.#assertOpen().batches;
  }

  /** The runs, or `undefined` until the folder is open. */
  get runsIfOpen(): Runs | undefined {
    return this.#opened?.runs;
  }

  /** Bytes of results that the collector holds until their shard is written. */
  get unackedBytes(): number {
    return this.#opened?.collector.openBytes ?? 0;
  }

  /** What keeps results from being stored now, or may lose them in Redis, as sentences. */
  faults(): string[] {
    if (this.#opened === undefined) return [];
    const { collector, gate } = this.#opened;
    const pause =
      collector.pauseReason === null ? null : `collecting of results pauses: ${collector.pauseReason}`;
    return [pause, gate.policyFault].filter((reason) => reason !== null);
  }

  /** Writes what is collected and gives the lease back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#opened === undefined) await this.#lease.stop();
    await this.#opening;
    await this.#releasers.release();
  }

  async #open(): Promise<void> {
    const { id, config, keys, redis, blocking, exchange, queue, credits, missingFor, onDrained, log } =
      this.#deps;
    await this.#lease.start();
    const abandoned = new AbandonedResults({ redis, keys });
    const gate = new MemoryGate({ redis, credits, makeRoom: () => abandoned.sweep(), log });
    await gate.start();
    this.#releasers.add(() => gate.stop());
    const assertLeaseHeld = () => this.#assertLeaseHeld();
    const runs = await Runs.open(
      { dataDirId: id, exchange, queue, credits, missingFor, assertLeaseHeld, log },
      config.dataDir,
    );
    // The lease is released last, when this producer no longer writes to the folder.
    this.#releasers.add(() => this.#lease.stop());
    this.#releasers.add(() => runs.close());
    const collector = new Collector({
      dataDirId: id,
      runs,
      exchange,
      credits,
      shardBytes: config.shardBytes,
      onDrained,
      log,
    });
    // The contents of Redis may be older than the folder: it was restarted or replaced.
    redis.on('ready', () => collector.audit());
    collector.start();
    this.#releasers.add(async () => {
      const stopped = collector.stop();
      // Ends a read that waits while Redis is unavailable.
      blocking.disconnect();
      await stopped;
    });
    const files = await FileStore.open({ assertLeaseHeld, log }, config.dataDir);
    this.#releasers.add(() => files.close());
    const batches = await OpenAiBatchStore.open(
      { runs, files, config, assertLeaseHeld, log },
      config.dataDir,
    );
    this.#releasers.add(() => batches.close());
    this.#opened = { runs, files, batches, collector, gate };
  }

  #assertOpen(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    throw new UnavailableError(
      'redis-unavailable',
      'the producer is starting: it waits for Redis, or for another producer to release the data folder',
    );
  }

  #assertLeaseHeld(): void {
    if (this.#lease.isSure) return;
    throw new UnavailableError(
      'redis-unavailable',
      'Redis was unavailable for so long that another producer may own the data folder; writing resumes when Redis is back',
    );
  }
}

/**
 * Reads the id of a data folder, or creates the folder and its id. Results of its runs are announced in Redis
 * under the id.
 */
export async function readDataDirId(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'home-id');
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${randomUUID()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}

/** The data folder of a producer: its lease and owner, and the runs, files and batches in it. */

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError, UnavailableError } from '@embedmill/contract';
import {
  type Config,
  type Fault,
  FolderOwner,
  faultOf,
  Releasers,
  removeLeftovers,
  writeSynced,
} from '@embedmill/core/process';
import {
  AbandonedResults,
  type BullBatchQueue,
  cutOff,
  type Keys,
  Lease,
  type RedisExchange,
  type WantedModel,
} from '@embedmill/core/redis';
import { Collector, type Credits, MemoryGate, Runs } from '@embedmill/core/runs';
import { cachedQuery } from '@embedmill/core/telemetry';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { OpenAiBatchStore } from './openai/batches/batch-store.ts';
import { FileStore } from './openai/files/file-store.ts';

/** What a data folder works with. */
export interface DataDirDeps {
  config: Config;
  keys: Keys;
  redis: Redis;
  redisUrl: string;
  /** The connection of the collector's blocking reads. */
  blocking: Redis;
  exchange: RedisExchange;
  queue: BullBatchQueue;
  credits: Credits;
  /** What work for a model waits for; `null` for nothing. */
  missingFor: (wanted: WantedModel) => string | null;
  /** Estimated tokens per second of a worker's thread with this model; `undefined` if none is known. */
  tokensPerSecondOf: (model: string) => number | undefined;
  /** Called after each batch is on disk, with the seconds since its commit. */
  onDrained: (seconds: number) => void;
  log: Logger;
}

/** What is open while this producer owns the folder. */
interface Opened {
  runs: Runs;
  files: FileStore;
  batches: OpenAiBatchStore;
  collector: Collector;
  gate: MemoryGate;
}

/** What is wrong with a data folder; every field is `null` if nothing is. */
export interface DataDirState {
  /** What it waits for until it is open. */
  waitsFor: string | null;
  /** Error of the latest renewal of the lease. */
  leaseError: unknown;
  diskFault: Fault | null;
  /** Why results are not stored now, as a part of a sentence. */
  collectingFault: string | null;
  /** Why Redis may delete keys of runs. */
  policyFault: string | null;
}

/** Pause after a passing fault while the folder is being opened. */
const OPEN_RETRY_MS = 1000;

/** File that is written to find out whether the disk takes bytes, and its size. */
const PROBE_FILE = 'write-probe';
const PROBE_BYTES = 4096;

/** The answer about the disk is kept this long, so that many probes of readiness cost one write. */
const PROBE_CACHE_MS = 1000;

/**
 * States: `waiting` (for the disk, for Redis and its lease, and for the ownership of the folder; access to runs, files and
 * batches throws) → `open` → stopped.
 *
 * A passing fault of the disk or of Redis while it is `waiting` is waited out, and `state` names it. Redis and the disk may
 * also fail and recover while the folder is `open`. Two things together permit a write, and are checked before each one:
 * the lease in Redis, and the owner file in the folder itself, which also holds between producers that use different Redis
 * servers. If another producer owns the folder, takes it over, or the folder vanishes, `whenLost` resolves and nothing is
 * written any more.
 */
export class DataDir {
  /** Resolves when this producer cannot own the folder, or no longer owns it; the process must then end. */
  readonly whenLost: Promise<Error>;
  readonly #deps: DataDirDeps;
  readonly #releasers = new Releasers();
  readonly #stopping = new AbortController();
  readonly #diskFault = cachedQuery(PROBE_CACHE_MS, () => this.#probeDisk());
  #lose: (error: Error) => void = () => {};
  #lease: Lease | undefined;
  #owner: FolderOwner | undefined;
  #opened: Opened | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** Why the folder is not open. */
  #waitsFor = 'Redis, or another producer that has the lease of the data folder';

  constructor(deps: DataDirDeps) {
    this.#deps = deps;
    this.whenLost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  /** Starts to wait for the lease and the folder, and opens it. */
  start(): void {
    this.#opening = this.#open().catch((error) => {
      if (!this.#stopping.signal.aborted) this.#lose(asError(error));
    });
  }

  /** Resolves when the folder is open, or cannot be opened; call it after `start`. */
  get opening(): Promise<void> {
    return this.#opening;
  }

  /** What is wrong with the folder, its lease and its disk now. */
  async state(): Promise<DataDirState> {
    const opened = this.#opened;
    return {
      waitsFor: opened === undefined ? this.#waitsFor : null,
      leaseError: this.#lease?.error ?? null,
      diskFault: opened === undefined ? null : ((await this.#diskFault()) ?? null),
      collectingFault: opened?.collector.pauseReason ?? null,
      policyFault: opened?.gate.policyFault ?? null,
    };
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

  /** Size of what is in the folder; `null` until it is open. */
  get stored(): { runsBytes: number; filesBytes: number } | null {
    if (this.#opened === undefined) return null;
    const { runs, files } = this.#opened;
    return { runsBytes: runs.bytes, filesBytes: files.list().reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** Bytes of results that the collector holds until their shard is written. */
  get unackedBytes(): number {
    return this.#opened?.collector.openBytes ?? 0;
  }

  /** Writes what is collected, and gives the folder and then the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // Ends the wait for a lease.
    if (this.#opened === undefined) await this.#lease?.stop();
    await this.#opening;
    await this.#releasers.release();
  }

  async #open(): Promise<void> {
    const { config, keys, redis, redisUrl, credits, log } = this.#deps;
    const folder = config.dataDir;
    const id = await this.#retry(() => readDataDirId(folder));
    // From here on, `stop` also stops the lease.
    this.#stopping.signal.throwIfAborted();
    const leaseKey = keys.lease(id);
    const lease = new Lease({
      redis,
      key: leaseKey,
      log,
      onLost: () => this.#lose(new Error(`another producer took over the data folder ${folder}`)),
    });
    this.#lease = lease;
    await lease.start();
    // Released last, when this producer no longer writes to the folder.
    this.#releasers.add(() => lease.stop());
    const owner = await this.#retry(() =>
      FolderOwner.claim({
        folder,
        redisUrl,
        leaseKey,
        signal: this.#stopping.signal,
        onWait: (message) => this.#waitFor(message),
        onLost: (error) => this.#lose(error),
      }),
    );
    this.#owner = owner;
    this.#releasers.add(() => owner.release());
    const abandoned = new AbandonedResults({ redis, keys });
    const gate = new MemoryGate({ redis, credits, makeRoom: () => abandoned.sweep(), log });
    await gate.start();
    this.#releasers.add(() => gate.stop());
    await this.#retry(() => this.#openContents(id, gate));
  }

  async #openContents(id: string, gate: MemoryGate): Promise<void> {
    const { config, redis, blocking, exchange, queue, credits, onDrained, log } = this.#deps;
    const { missingFor, tokensPerSecondOf } = this.#deps;
    const assertLeaseHeld = () => this.#assertLeaseHeld();
    const releasers = new Releasers();
    try {
      const runs = await Runs.open(
        {
          dataDirId: id,
          exchange,
          queue,
          credits,
          missingFor,
          tokensPerSecondOf,
          keepRunsDays: config.keepRunsDays,
          assertLeaseHeld,
          log,
        },
        config.dataDir,
      );
      releasers.add(() => runs.close());
      const files = await FileStore.open({ assertLeaseHeld, log }, config.dataDir);
      releasers.add(() => files.close());
      const batches = await OpenAiBatchStore.open(
        { runs, files, config, assertLeaseHeld, log },
        config.dataDir,
      );
      releasers.add(() => batches.close());
      const { shardBytes } = config;
      const collector = new Collector({
        dataDirId: id,
        runs,
        exchange,
        queue,
        credits,
        shardBytes,
        onDrained,
        log,
      });
      // The contents of Redis may be older than the folder: it was restarted or replaced.
      redis.on('ready', () => collector.audit());
      collector.start();
      releasers.add(async () => {
        const stopped = collector.stop();
        // Ends a read that waits while Redis is unavailable.
        cutOff(blocking);
        await stopped;
      });
      this.#releasers.add(() => releasers.release());
      this.#opened = { runs, files, batches, collector, gate };
    } catch (error) {
      await releasers.release().catch(() => {});
      throw error;
    }
  }

  /** Repeats a step until no passing fault interrupts it. @throws its lasting fault, or the reason of the stop */
  async #retry<Value>(step: () => Promise<Value>): Promise<Value> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        const { duration, sentence } = faultOf(error);
        const isOfAnother = error instanceof UnavailableError && /^folder-(in-use|lost)$/.test(error.code);
        if (duration === 'lasting' || isOfAnother) throw error;
        this.#waitFor(`${sentence} (${asError(error).message})`);
        await sleep(OPEN_RETRY_MS, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  #waitFor(what: string): void {
    if (this.#waitsFor === what) return;
    this.#waitsFor = what;
    this.#deps.log.warn({ reason: what }, 'the data folder is not open yet');
  }

  #assertOpen(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    throw new UnavailableError(
      'redis-unavailable',
      'the producer is starting: it waits for Redis, for its disk, or for another producer to release the data folder',
    );
  }

  /** Asked before each write to the folder. */
  #assertLeaseHeld(): void {
    if (this.#lease?.isSure !== true) {
      throw new UnavailableError(
        'redis-unavailable',
        'Redis was unavailable for so long that another producer may own the data folder; writing resumes when Redis is back',
      );
    }
    // Nothing is opened before the folder is owned.
    this.#owner!.assertOwned();
  }

  /** What is wrong with the disk; `null` if it takes bytes. */
  async #probeDisk(): Promise<Fault | null> {
    const path = join(this.#deps.config.dataDir, PROBE_FILE);
    const deps = { assertWritable: () => this.#owner?.assertOwned() };
    try {
      deps.assertWritable();
      await writeFile(path, Buffer.alloc(PROBE_BYTES), { mode: 0o600 });
      return null;
    } catch (error) {
      return faultOf(error);
    } finally {
      await removeLeftovers([path], deps);
    }
  }
}

/**
 * Reads the id of a data folder, or creates the folder and its id. Results of its runs are announced in Redis
 * under the id.
 */
async function readDataDirId(dataDir: string): Promise<string> {
  const path = join(dataDir, 'home-id');
  const known = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known.trim() !== '') return known.trim();
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // An empty file is what a crash during its creation left.
  await rm(path, { force: true });
  // Two producers may start at the same moment: only one of them creates the file.
  await writeSynced(path, Buffer.from(`${randomUUID()}\n`)).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return await readDataDirId(dataDir);
}

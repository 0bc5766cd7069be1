/** Brings finished batches from Redis to shards; one per data folder, started by the producer. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError, type BatchSummary, CorruptError } from '@embedmill/contract';
import type { Logger } from 'pino';
import type { ProducerExchange, ReadyBatch } from '../redis/exchange/types.ts';
import { isRedisFault } from '../redis/faults.ts';
import type { Credits } from './credits.ts';
import type { Run } from './run.ts';
import type { Runs } from './runs.ts';

const SECOND = 1000;

/** What a collector works with. */
export interface CollectorDeps {
  dataDirId: string;
  runs: Runs;
  exchange: ProducerExchange;
  credits: Credits;
  /** Bytes of results after which a shard is written. */
  shardBytes: number;
  /** Told about each batch that is on disk, with the seconds since its commit by the clocks of Redis and this machine. */
  onDrained?: (seconds: number) => void;
  log: Logger;
}

/** Ready entries per read: the bytes behind them are the most that is in memory besides the open shards. */
const READ_ENTRIES = 16;
/** Longest wait of one read, and so of `stop`. */
const BLOCK_MS = SECOND;
/** The same while results wait for a shard: the last shard of a run that is sealed meanwhile should not wait a second. */
const BLOCK_WITH_OPEN_SHARDS_MS = 50;
/** A result waits for a shard no longer than this, so that a slow run gives its credit back. */
const MAX_AGE_MS = 10 * SECOND;
/** Pause after a fault of Redis or of the disk. */
const FAULT_PAUSE_MS = SECOND;
/** How often every run that Redis may know of is compared with it. */
const AUDIT_INTERVAL_MS = 30 * SECOND;

/** Results of one run that wait for a shard. */
interface OpenShard {
  run: Run;
  since: number;
  bytes: number;
  /** Credit that comes back when the shard is written. Texts may take more of it than their vectors. */
  creditBytes: number;
  batches: (ReadyBatch & { result: Uint8Array; summary: BatchSummary })[];
}

/**
 * The order is what makes it safe: fetch, write, fsync, rename, acknowledge, give credit back. A crash between any two
 * steps repeats the steps before it with the same bytes.
 */
export class Collector {
  readonly #deps: CollectorDeps;
  readonly #shards = new Map<string, OpenShard>();
  readonly #stopping = new AbortController();
  #position = '0';
  #mustAudit = true;
  #auditAt = 0;
  #loop: Promise<void> | undefined;

  constructor(parts: CollectorDeps) {
    this.#deps = parts;
  }

  /** Bytes of results in memory that wait for a shard. */
  get openBytes(): number {
    let bytes = 0;
    for (const shard of this.#shards.values()) bytes += shard.bytes;
    return bytes;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Writes what is open and stops. Results that are not acknowledged are read again by the next collector. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** To be called when the connection to Redis was lost: what Redis holds is then compared with the disk. */
  audit(): void {
    this.#mustAudit = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        if (this.#mustAudit || Date.now() >= this.#auditAt) await this.#auditRuns();
        await this.#collect();
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        const reason = asError(error).message;
        this.#deps.log.warn(
          { reason, redis: isRedisFault(error) },
          'collecting pauses; nothing is lost, it goes on by itself',
        );
        this.#mustAudit = true;
        await sleep(FAULT_PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
    try {
      for (const shard of [...this.#shards.values()]) await this.#store(shard);
    } catch (error) {
      this.#deps.log.warn(
        { reason: asError(error).message },
        'the last shards were not written; their results stay in Redis',
      );
    }
  }

  /** After a fault the stream is read from its start: entries seen before are recognised by their batches. */
  async #auditRuns(): Promise<void> {
    this.#position = '0';
    this.#shards.clear();
    for (const run of this.#deps.runs.inRedis()) {
      await this.#guard(run, () => run.reconcile());
    }
    this.#mustAudit = false;
    this.#auditAt = Date.now() + AUDIT_INTERVAL_MS;
  }

  async #collect(): Promise<void> {
    const { exchange, dataDirId, runs } = this.#deps;
    const entries = await exchange.readReady(
      dataDirId,
      this.#position,
      READ_ENTRIES,
      this.#shards.size > 0 ? BLOCK_WITH_OPEN_SHARDS_MS : BLOCK_MS,
    );
    for (const run of runs.active()) await this.#guard(run, () => run.sendUnsent());
    for (const [id, ofRun] of groupByRun(entries)) await this.#take(runs.find(id), id, ofRun);
    this.#position = entries.at(-1)?.entry ?? this.#position;
    const isPressed = this.#isPressed();
    for (const shard of [...this.#shards.values()]) {
      if (isPressed || this.#isDue(shard)) await this.#store(shard);
    }
  }

  async #take(run: Run | undefined, id: string, entries: readonly ReadyBatch[]): Promise<void> {
    const { exchange, dataDirId } = this.#deps;
    if (run === undefined) {
      await exchange.acknowledge(dataDirId, entries);
      return;
    }
    const results = await exchange.fetchResults(
      id,
      entries.map(({ batch }) => batch),
    );
    for (const [i, entry] of entries.entries()) {
      const result = results[i] ?? null;
      await this.#guard(run, async () => {
        const outcome = await run.receive(entry.batch, result, entry.summary);
        if (outcome === 'wanted') this.#keep(run, { ...entry, result: result!, summary: entry.summary! });
        // A refused batch is waiting again; its result, if any, was removed by then.
        else if (outcome === 'refused') await exchange.forgetEntries(dataDirId, [entry.entry]);
        else await this.#settle(run, [entry]);
      });
    }
  }

  #keep(run: Run, batch: OpenShard['batches'][number]): void {
    const shard = this.#shards.get(run.id) ?? {
      run,
      since: Date.now(),
      bytes: 0,
      creditBytes: 0,
      batches: [],
    };
    shard.bytes += batch.result.byteLength;
    shard.creditBytes += run.creditBytesOf(batch.batch);
    shard.batches.push(batch);
    this.#shards.set(run.id, shard);
  }

  /** True when intakes wait for credit and the open shards hold a good part of it. */
  #isPressed(): boolean {
    const { credits } = this.#deps;
    let creditBytes = 0;
    for (const shard of this.#shards.values()) creditBytes += shard.creditBytes;
    return credits.waiting > 0 && creditBytes >= credits.limitBytes / 4;
  }

  #isDue({ run, since, bytes }: OpenShard): boolean {
    const { shardBytes } = this.#deps;
    return bytes >= shardBytes || Date.now() - since >= MAX_AGE_MS || !run.isActive || run.isDone;
  }

  async #store(shard: OpenShard): Promise<void> {
    await this.#guard(shard.run, async () => {
      // A run that was cancelled meanwhile may have lost its folder already.
      if (shard.run.isActive) await shard.run.store(shard.batches);
      this.#shards.delete(shard.run.id);
      await this.#settle(shard.run, shard.batches);
    });
  }

  async #settle(run: Run, entries: readonly ReadyBatch[]): Promise<void> {
    await this.#deps.exchange.acknowledge(this.#deps.dataDirId, entries);
    // An entry's position starts with the milliseconds of its commit.
    for (const { entry } of entries)
      this.#deps.onDrained?.(Math.max(0, Date.now() - Number.parseInt(entry, 10)) / 1000);
    await run.settle(entries.map(({ batch }) => batch));
  }

  /** Damage in a run's own files ends that run; every other fault is waited out by the loop. */
  async #guard(run: Run, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#shards.delete(run.id);
      await run.fail(error.message);
    }
  }
}

function groupByRun(entries: readonly ReadyBatch[]): Map<string, ReadyBatch[]> {
  const groups = new Map<string, ReadyBatch[]>();
  for (const entry of entries) {
    const group = groups.get(entry.run);
    if (group === undefined) groups.set(entry.run, [entry]);
    else group.push(entry);
  }
  return groups;
}

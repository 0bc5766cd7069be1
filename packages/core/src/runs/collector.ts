/**
 * The collector: moves finished batches from Redis to shards; the producer runs one.
 * Decision: docs/decisions/0001.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError, type BatchSummary } from '@embedmill/contract';
import type { Logger } from 'pino';
import { faultOf } from '../process/faults.ts';
import type { ProducerExchange, ReadyBatch } from '../redis/exchange/types.ts';
import type { BatchQueue } from '../redis/queue/types.ts';
import type { Credits } from './credits.ts';
import type { Run } from './run.ts';
import type { Runs } from './runs.ts';

const SECOND = 1000;

/** What a collector works with. */
export interface CollectorDeps {
  /** Id of the data folder in Redis: workers announce results under it. */
  dataDirId: string;
  runs: Runs;
  exchange: ProducerExchange;
  queue: Pick<BatchQueue, 'removeUnlisted'>;
  credits: Credits;
  /** A shard is written once its results have this many bytes. */
  shardBytes: number;
  /**
   * Called for each stored batch with the seconds since its commit, according to the clocks of Redis and this
   * machine.
   */
  onDrained?: (seconds: number) => void;
  log: Logger;
}

/** Maximum ready entries per read, and maximum entries whose results wait to be fetched. */
const READ_ENTRIES = 64;
const MAX_PENDING = 1024;
/**
 * Bytes of results that one run gets per turn: bounds the results in memory besides the open shards, and the wait of other runs on
 * a slow link.
 */
const TURN_BYTES = 4 * 1024 * 1024;
/** Maximum wait of one read, and so of `stop`. */
const BLOCK_MS = SECOND;
/**
 * The same while results wait for a shard: the last shard of a run should be written soon after the run is
 * sealed.
 */
const BLOCK_WITH_OPEN_SHARDS_MS = 50;
/** Maximum time that a result waits for a shard, so that a slow run returns its credit. */
const MAX_AGE_MS = 10 * SECOND;
/** Pause after a fault of Redis or of the disk. */
const FAULT_PAUSE_MS = SECOND;
/** The same for a sealed run whose vectors a client waits for. */
const MAX_AWAITED_AGE_MS = SECOND / 2;
/** Interval at which every run with keys in Redis is reconciled. */
const AUDIT_INTERVAL_MS = 30 * SECOND;

/** Results of one run that wait to be written. */
interface OpenShard {
  run: Run;
  since: number;
  bytes: number;
  /** Credit that is returned when the shard is written. Texts may take more of it than their vectors. */
  creditBytes: number;
  batches: (ReadyBatch & { result: Uint8Array; summary: BatchSummary })[];
}

/**
 * The order makes it safe: fetch, write, fsync, rename, acknowledge, return credit. After a crash between any
 * two steps, the steps before it are repeated with the same bytes.
 */
export class Collector {
  readonly #deps: CollectorDeps;
  readonly #shards = new Map<string, OpenShard>();
  readonly #stopping = new AbortController();
  #position = '0';
  /** Entries that were read and whose results were not fetched yet, by run. */
  readonly #pending = new Map<string, ReadyBatch[]>();
  #mustAudit = true;
  #auditAt = 0;
  #pauseReason: string | null = null;
  #loop: Promise<void> | undefined;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** Bytes of results in memory that wait for a shard. */
  get openBytes(): number {
    let bytes = 0;
    for (const shard of this.#shards.values()) bytes += shard.bytes;
    return bytes;
  }

  /** Why collecting pauses for all runs; `null` while it works. */
  get pauseReason(): string | null {
    return this.#pauseReason;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Writes the open shards and stops. The next collector reads results again that were not acknowledged. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Requests a comparison of Redis with the disk; called after the connection to Redis was lost. */
  audit(): void {
    this.#mustAudit = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        if (this.#mustAudit || performance.now() >= this.#auditAt) await this.#auditRuns();
        await this.#collect();
        this.#pauseReason = null;
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        const { source, sentence } = faultOf(error);
        const reason = asError(error).message;
        this.#pauseReason = sentence;
        this.#deps.log.warn({ reason, source }, 'collecting pauses and will be retried; no result is lost');
        this.#mustAudit = true;
        await sleep(FAULT_PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
    try {
      for (const shard of [...this.#shards.values()]) await this.#store(shard);
    } catch (error) {
      this.#deps.log.warn(
        { reason: asError(error).message },
        'the last shards could not be written; their results stay in Redis',
      );
    }
  }

  /** Reads the stream from its start again: stored batches are recognized by their numbers. */
  async #auditRuns(): Promise<void> {
    this.#position = '0';
    this.#shards.clear();
    this.#pending.clear();
    const ready: { run: string; batch: number }[] = [];
    for (const run of this.#deps.runs.inRedis()) {
      await this.#guard(run, async () => {
        for (const batch of await run.reconcile()) ready.push({ run: run.id, batch });
        run.resume();
      });
    }
    const { exchange, dataDirId, log } = this.#deps;
    const unannounced = await exchange.findUnannounced(dataDirId, ready);
    if (unannounced.length > 0) {
      log.warn({ batches: unannounced.length }, 'results missing in the ready stream are announced again');
      await exchange.announce(dataDirId, unannounced);
    }
    this.#mustAudit = false;
    this.#auditAt = performance.now() + AUDIT_INTERVAL_MS;
    await this.#removeUnlistedJobs();
  }

  /**
   * When Redis loses a list of the queue, the jobs in it remain. `reconcile` enqueues those of batches that are not done; the others
   * are of done batches and ended runs. No result waits for this, so a fault does not pause collecting.
   */
  async #removeUnlistedJobs(): Promise<void> {
    const { queue, log } = this.#deps;
    try {
      const jobs = await queue.removeUnlisted();
      if (jobs > 0) log.warn({ jobs }, 'jobs in no list of the queue were removed');
    } catch (error) {
      log.debug({ reason: asError(error).message }, 'jobs in no list of the queue are removed later');
    }
  }

  async #collect(): Promise<void> {
    const { exchange, dataDirId, runs } = this.#deps;
    let pending = 0;
    for (const entries of this.#pending.values()) pending += entries.length;
    const idleMs = this.#shards.size > 0 ? BLOCK_WITH_OPEN_SHARDS_MS : BLOCK_MS;
    const entries =
      pending >= MAX_PENDING
        ? []
        : await exchange.readReady(dataDirId, this.#position, READ_ENTRIES, pending > 0 ? 0 : idleMs);
    for (const run of runs.active()) {
      if (run.asideReason === null) await this.#guard(run, () => run.sendUnsent());
    }
    this.#position = entries.at(-1)?.entry ?? this.#position;
    for (const entry of entries) {
      const group = this.#pending.get(entry.run);
      if (group === undefined) this.#pending.set(entry.run, [entry]);
      else group.push(entry);
    }
    for (const [id, group] of [...this.#pending]) {
      const taken = await this.#take(runs.find(id), id, group);
      if (taken >= group.length) this.#pending.delete(id);
      else this.#pending.set(id, group.slice(taken));
    }
    const mustFreeCredit = this.#mustFreeCredit();
    for (const shard of [...this.#shards.values()]) {
      if (mustFreeCredit || this.#isDue(shard)) await this.#store(shard);
    }
  }

  /** Takes as many results of one run as fit in its turn. @returns how many entries */
  async #take(run: Run | undefined, id: string, entries: readonly ReadyBatch[]): Promise<number> {
    const { exchange, dataDirId } = this.#deps;
    if (run === undefined) {
      // The results of a run with damaged or unreadable files stay in Redis: the run may be opened again.
      if (this.#deps.runs.isGone(id)) await exchange.acknowledge(dataDirId, entries);
      return entries.length;
    }
    // Read again at the next audit.
    if (run.asideReason !== null) return entries.length;
    const results = await exchange.fetchResults(
      id,
      entries.map(({ batch }) => batch),
      TURN_BYTES,
    );
    for (const [i, result] of results.entries()) {
      const entry = entries[i]!;
      if (run.asideReason !== null) return entries.length;
      await this.#guard(run, async () => {
        const outcome = await run.receive(entry.batch, result, entry.summary);
        if (outcome.status === 'wanted') this.#keep(run, { ...entry, ...outcome.batch });
        // A refused batch is enqueued again and its result, if any, has been removed.
        else if (outcome.status === 'refused') await exchange.deleteEntries(dataDirId, [entry.entry]);
        else await this.#settle(run, [entry]);
      });
    }
    return results.length;
  }

  #keep(run: Run, batch: OpenShard['batches'][number]): void {
    const shard = this.#shards.get(run.id) ?? {
      run,
      since: performance.now(),
      bytes: 0,
      creditBytes: 0,
      batches: [],
    };
    shard.bytes += batch.result.byteLength;
    shard.creditBytes += run.creditBytesOf(batch.batch);
    shard.batches.push(batch);
    this.#shards.set(run.id, shard);
  }

  /** True when uploads wait for credit and the open shards hold at least a quarter of it. */
  #mustFreeCredit(): boolean {
    const { credits } = this.#deps;
    let creditBytes = 0;
    for (const shard of this.#shards.values()) creditBytes += shard.creditBytes;
    return credits.waiting > 0 && creditBytes >= credits.limitBytes / 4;
  }

  #isDue({ run, since, bytes }: OpenShard): boolean {
    const { shardBytes } = this.#deps;
    const maxAgeMs = run.isAwaited && run.state === 'sealed' ? MAX_AWAITED_AGE_MS : MAX_AGE_MS;
    return bytes >= shardBytes || performance.now() - since >= maxAgeMs || !run.isActive || run.isDone;
  }

  async #store(shard: OpenShard): Promise<void> {
    await this.#guard(shard.run, async () => {
      // A run that was cancelled while its results waited may have no folder any more.
      if (shard.run.isActive) await shard.run.store(shard.batches);
      this.#shards.delete(shard.run.id);
      await this.#settle(shard.run, shard.batches);
    });
  }

  async #settle(run: Run, entries: readonly ReadyBatch[]): Promise<void> {
    await this.#deps.exchange.acknowledge(this.#deps.dataDirId, entries);
    for (const { entry } of entries) {
      // The id of a stream entry starts with the milliseconds of its commit.
      const committedAt = Number.parseInt(entry, 10);
      this.#deps.onDrained?.(Math.max(0, Date.now() - committedAt) / 1000);
    }
    await run.settle(entries.map(({ batch }) => batch));
  }

  /**
   * A fault of one run stops only that run: damage in its files ends it, and after any other fault it is set aside until the
   * next audit tries again. A fault of Redis or of the disk concerns all runs, so the loop pauses.
   */
  async #guard(run: Run, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const { source, scope, sentence } = faultOf(error);
      if (scope === 'all') throw error;
      const reason = asError(error).message;
      this.#shards.delete(run.id);
      if (source !== 'data') run.setAside(`${sentence}: ${reason}`);
      else await run.fail(reason).catch((fault) => run.setAside(`${reason}; ${asError(fault).message}`));
    }
  }
}

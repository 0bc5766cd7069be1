/** The producer behind its API: runs, collector, lease and connections, with one life. */

import { asError, type Scale, UnavailableError } from '@embedmill/contract';
import { type Config, Releasers } from '@embedmill/core/process';
import {
  BullBatchQueue,
  BullInteractiveQueue,
  connect,
  type InteractiveLane,
  keysOf,
  Lease,
  type Overview,
  type OwnQueues,
  RedisClock,
  RedisExchange,
  RedisInteractiveLane,
} from '@embedmill/core/redis';
import { Collector, Credits, MemoryGate, Runs } from '@embedmill/core/runs';
import { sharedAnswer, type Tracing } from '@embedmill/core/telemetry';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { readHome } from './data-dir-id.ts';
import type { ProducerService } from './http/types.ts';
import type { AnsweredRequest } from './metrics/http-metrics.ts';
import { ProducerMetrics } from './metrics/metrics.ts';
import { modelOf } from './model.ts';
import { Batches } from './openai/batches/batches.ts';
import { FileStore } from './openai/files/file-store.ts';
import { OverviewReader } from './overview/overview.ts';
import { Scaler } from './overview/scale.ts';
import { version } from './version.ts';

/** The series of one page of metrics share one look at the backlog. */
const SCALE_MS = 500;

/** What a service works with. */
interface ServiceDeps {
  config: Config;
  redisUrl: string;
  tracing: Tracing;
  log: Logger;
}

/**
 * States: `waiting` (for Redis and for the lease of the data folder; runs are refused with 503) → `open` → stopped.
 * Redis may go and come while it is `open`: requests that need it are refused, everything else goes on.
 */
export class Service implements ProducerService {
  readonly whenBroken: Promise<Error>;
  readonly #deps: ServiceDeps;
  readonly #dataDirId: string;
  readonly #redis: Redis;
  readonly #blocking: Redis;
  readonly #exchange: RedisExchange;
  readonly #queue: BullBatchQueue;
  readonly #interactiveQueue: BullInteractiveQueue;
  readonly #subscriber: Redis;
  readonly #clock: RedisClock;
  readonly #lane: RedisInteractiveLane;
  readonly #credits: Credits;
  readonly #lease: Lease;
  readonly #metrics: ProducerMetrics;
  readonly #scaler: Scaler;
  readonly #overview: OverviewReader;
  readonly #releasers = new Releasers();
  #runs: Runs | undefined;
  #files: FileStore | undefined;
  #batches: Batches | undefined;
  #collector: Collector | undefined;
  #opening: Promise<void> = Promise.resolve();
  #isStopping = false;

  private constructor(parts: ServiceDeps, dataDirId: string) {
    const { config, redisUrl, tracing, log } = parts;
    const keys = keysOf(config.prefix);
    this.#deps = parts;
    this.#dataDirId = dataDirId;
    this.#redis = connect(redisUrl, 'command', log);
    this.#blocking = connect(redisUrl, 'patient', log);
    this.#exchange = new RedisExchange({ redis: this.#redis, blocking: this.#blocking, keys });
    this.#queue = new BullBatchQueue({
      url: redisUrl,
      prefix: keys.queuePrefix,
      lane: 'bulk',
      telemetry: tracing.telemetry,
      onError: (error) => log.debug({ reason: error.message }, 'the queue does not answer'),
    });
    this.#interactiveQueue = new BullInteractiveQueue({
      url: redisUrl,
      prefix: keys.queuePrefix,
      telemetry: tracing.telemetry,
      onError: (error) => log.debug({ reason: error.message }, 'the interactive queue does not answer'),
    });
    this.#subscriber = connect(redisUrl, 'command', log);
    this.#clock = new RedisClock(this.#redis);
    this.#lane = new RedisInteractiveLane({
      redis: this.#redis,
      subscriber: this.#subscriber,
      queue: this.#interactiveQueue,
      keys,
      clock: this.#clock,
      model: modelOf(config),
      maxTexts: config.interactiveTexts,
      onSettled: (call) => this.#metrics.countCall(call),
      log,
    });
    this.#credits = new Credits(config.redisBudgetBytes);
    let reject: (error: Error) => void;
    this.whenBroken = new Promise((resolve) => {
      reject = resolve;
    });
    this.#lease = new Lease({
      redis: this.#redis,
      key: keys.lease(dataDirId),
      log,
      onLost: () => reject(new Error(`another producer took over the data folder ${config.dataDir}`)),
    });
    this.#scaler = new Scaler({
      runs: () => (this.#runs?.active() ?? []).map((run) => run.info()),
      workers: () => this.#queue.workers(),
      drainTargetSeconds: config.drainTargetSeconds,
      maxWorkers: config.maxWorkers,
    });
    const scale = sharedAnswer(SCALE_MS, () => this.#scaler.scale());
    const queues = { bulk: this.#queue, interactive: this.#interactiveQueue };
    this.#overview = new OverviewReader({
      version,
      redis: this.#redis,
      keys,
      queues,
      credits: this.#credits,
      runs: () => this.#runs?.list() ?? [],
      readiness: () => this.readiness(),
      scale,
    });
    this.#metrics = new ProducerMetrics({
      credits: this.#credits,
      queues,
      redis: this.#redis,
      textsInFlight: () => this.#lane.textsInFlight,
      activeRuns: () => this.#runs?.active().length ?? 0,
      unackedBytes: () => this.#collector?.openBytes ?? 0,
      scale,
    });
    this.#releasers.add(async () => {
      await Promise.all([this.#queue.close(), this.#interactiveQueue.close()]);
      this.#subscriber.disconnect();
      this.#blocking.disconnect();
      this.#redis.disconnect();
    });
  }

  /** Reads the data folder's name and connects. */
  static async open(parts: ServiceDeps): Promise<Service> {
    return new Service(parts, await readHome(parts.config.dataDir));
  }

  /** Opens the interactive lane and begins to wait for the lease; the runs are open when it is ours. */
  start(): void {
    this.#clock.start();
    this.#releasers.add(() => this.#clock.stop());
    this.#lane.start();
    this.#releasers.add(() => this.#lane.stop());
    this.#overview.start();
    this.#opening = this.#open().catch((error) => {
      if (!this.#isStopping)
        this.#deps.log.fatal({ reason: asError(error).message }, 'the data folder cannot be opened');
    });
  }

  runs(): Runs {
    return mustBeOpen(this.#runs);
  }

  files(): FileStore {
    return mustBeOpen(this.#files);
  }

  batches(): Batches {
    return mustBeOpen(this.#batches);
  }

  lane(): InteractiveLane {
    return this.#lane;
  }

  async readiness(): Promise<{ ready: boolean; reasons: string[] }> {
    const reasons: string[] = [];
    if (this.#runs === undefined) reasons.push('the data folder is not open yet');
    await this.#exchange
      .ping()
      .catch((error) => reasons.push(`Redis does not answer: ${asError(error).message}`));
    if (this.#credits.isClosed)
      reasons.push('Redis is nearly full: no rows are admitted until workers made room');
    return { ready: reasons.length === 0, reasons };
  }

  /** For the board. */
  get ownQueues(): OwnQueues {
    return { bulk: this.#queue.own, interactive: this.#interactiveQueue.own };
  }

  metrics(): Promise<{ contentType: string; body: string }> {
    return this.#metrics.render();
  }

  countRequest(request: AnsweredRequest): void {
    this.#metrics.countRequest(request);
  }

  scale(): Promise<Scale> {
    return this.#scaler.scale();
  }

  overview(): Promise<Overview> {
    return this.#overview.look();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#overview.stop();
    if (this.#runs === undefined) await this.#lease.stop();
    await this.#opening;
    await this.#releasers.release();
  }

  #assertLeaseHeld(): void {
    if (this.#lease.isSure) return;
    throw new UnavailableError(
      'redis-unavailable',
      'Redis was away for so long that another producer may have the data folder; nothing is written until it is back',
    );
  }

  async #open(): Promise<void> {
    const { config, log } = this.#deps;
    await this.#lease.start();
    const gate = new MemoryGate({ redis: this.#redis, credits: this.#credits, log });
    await gate.start();
    this.#releasers.add(() => gate.stop());
    const runs = await Runs.open(
      {
        dataDirId: this.#dataDirId,
        exchange: this.#exchange,
        queue: this.#queue,
        credits: this.#credits,
        assertLeaseHeld: () => this.#assertLeaseHeld(),
        log,
      },
      config.dataDir,
    );
    // The folder is given back when nothing of ours writes to it any more.
    this.#releasers.add(() => this.#lease.stop());
    this.#releasers.add(() => runs.close());
    const collector = new Collector({
      dataDirId: this.#dataDirId,
      runs,
      exchange: this.#exchange,
      credits: this.#credits,
      shardBytes: config.shardBytes,
      onDrained: (seconds) => this.#metrics.countDrained(seconds),
      log,
    });
    this.#collector = collector;
    // What Redis holds may be older than what we know: it was restarted, or it is another one.
    this.#redis.on('ready', () => collector.audit());
    collector.start();
    this.#releasers.add(async () => {
      const stopped = collector.stop();
      // Ends a read that waits for a Redis that is away.
      this.#blocking.disconnect();
      await stopped;
    });
    await this.#openBatches(runs);
    this.#runs = runs;
  }

  async #openBatches(runs: Runs): Promise<void> {
    const { config, log } = this.#deps;
    const assertLeaseHeld = () => this.#assertLeaseHeld();
    const files = await FileStore.open({ assertLeaseHeld, log }, config.dataDir);
    this.#releasers.add(() => files.close());
    const batches = await Batches.open({ runs, files, config, assertLeaseHeld, log }, config.dataDir);
    this.#releasers.add(() => batches.close());
    this.#files = files;
    this.#batches = batches;
  }
}

function mustBeOpen<Opened>(opened: Opened | undefined): Opened {
  if (opened !== undefined) return opened;
  throw new UnavailableError(
    'redis-unavailable',
    'the producer is starting: it waits for Redis, or for another producer to leave its data folder',
  );
}

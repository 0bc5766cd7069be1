/** Wires the producer behind the API: connections, queues, lane, data folder, overview and metrics. */

import { asError } from '@embedmill/contract';
import { InstalledModels } from '@embedmill/core/hub';
import { type Config, Releasers } from '@embedmill/core/process';
import {
  BullBatchQueue,
  connect,
  cutOff,
  FleetModels,
  keysOf,
  RedisClock,
  RedisExchange,
  RedisInteractiveLane,
  readWorkers,
  ValueReader,
} from '@embedmill/core/redis';
import { Credits } from '@embedmill/core/runs';
import { cachedQuery, type Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import { Analyses } from './analysis/analyses.ts';
import type { ProducerService } from './app.ts';
import { modelOf } from './compatible/models.ts';
import { DataDir } from './data-dir.ts';
import { FiringAlerts } from './health/firing-alerts.ts';
import { HealthReader } from './health/health-reader.ts';
import { ProducerMetrics } from './metrics/metrics.ts';
import { RunColumns } from './native/run-columns.ts';
import { OverviewReader } from './overview/overview.ts';
import { Scaler } from './overview/scale.ts';
import { PRODUCER_VERSION } from './version.ts';

/** How long the scale is cached, so that all series of one metrics page share one reading of the backlog. */
const SCALE_CACHE_MS = 500;

/** Memory for the values of columns that were read last. */
const COLUMN_CACHE_BYTES = 64 * 1024 * 1024;

/** The same for the reports of the workers. */
const WORKERS_CACHE_MS = 400;

/** Interval at which workers are asked for the models of active runs. */
const MODEL_REQUEST_MS = 5_000;

/** What a service works with. */
export interface ServiceDeps {
  config: Config;
  redisUrl: string;
  tracing: Tracing;
  log: Logger;
}

/** A started service. */
export interface RunningService extends ProducerService {
  /** Resolves when another producer owns the data folder, or the folder cannot be used; this producer must then end. */
  readonly whenBroken: Promise<Error>;
  /** Resolves when the data folder is open, or cannot be opened. */
  readonly opening: Promise<void>;
  /** The queue of batches for the board at /admin/queues. */
  readonly ownQueue: BullBatchQueue['own'];
  /** Writes what is collected, gives the data folder back and closes all connections. */
  stop(): Promise<void>;
}

/**
 * Starts the service. It resolves without waiting for Redis; until Redis answers and the data folder's lease
 * is held, requests for runs are rejected with `redis-unavailable`.
 */
export async function startService({ config, redisUrl, tracing, log }: ServiceDeps): Promise<RunningService> {
  const releasers = new Releasers();
  const keys = keysOf(config.prefix);
  const redis = connect(redisUrl, 'command', log);
  // Payloads, results and interactive texts have connections of their own: no other command waits behind their bytes.
  const results = connect(redisUrl, 'bulk', log);
  const uploads = connect(redisUrl, 'bulk', log);
  const calls = connect(redisUrl, 'bulk', log);
  const blocking = connect(redisUrl, 'patient', log);
  const subscriber = connect(redisUrl, 'command', log);
  const values = ValueReader.forUrl(redisUrl);
  const queue = new BullBatchQueue({
    url: redisUrl,
    prefix: keys.queuePrefix,
    telemetry: tracing.telemetry,
    onError: (error) => log.debug({ reason: error.message }, 'the bulk queue is unreachable'),
  });
  const cutAllOff = () => {
    for (const connection of [subscriber, blocking, results, uploads, calls, redis]) cutOff(connection);
    values?.close();
  };
  releasers.add(async () => {
    await queue.close();
    cutAllOff();
  });

  const clock = new RedisClock(redis);
  clock.start();
  releasers.add(() => clock.stop());
  const installed = new InstalledModels(config.cacheDir);
  const fleet = new FleetModels({
    redis,
    keys,
    installedModels: () => installed.names(),
    sourceOf: (model) => installed.sourceOf(model),
  });
  const lane = new RedisInteractiveLane({
    redis,
    sender: calls,
    subscriber,
    keys,
    clock,
    model: modelOf(config),
    fleet,
    maxTexts: config.interactiveTexts,
    onSettled: (call) => metrics.countCall(call),
    traceContext: () => tracing.context(),
    log,
  });
  lane.start();
  releasers.add(() => lane.stop());

  const exchange = new RedisExchange({
    redis: results,
    uploads,
    blocking,
    values,
    keys,
    onUnreadable: (entry, content) =>
      log.error({ entry, content }, 'an unreadable entry of the ready stream was removed'),
  });
  const credits = new Credits(config.redisBudgetBytes);
  const dataDir = new DataDir({
    config,
    keys,
    redis,
    redisUrl,
    blocking,
    exchange,
    queue,
    credits,
    missingFor: (wanted) => fleet.missingFor(wanted),
    tokensPerSecondOf: (model) => fleet.tokensPerSecondOf(model),
    onDrained: (seconds) => metrics.countDrained(seconds),
    log,
  });

  const reports = cachedQuery(WORKERS_CACHE_MS, () => readWorkers(redis, keys));
  const alerts = new FiringAlerts();
  const scaler = new Scaler({
    runs: () => (dataDir.runsIfOpen?.active() ?? []).map((run) => run.info()),
    workers: () => queue.workers(),
    reports,
    drainTargetSeconds: config.drainTargetSeconds,
    maxWorkers: config.maxWorkers,
  });
  const cachedScale = cachedQuery(SCALE_CACHE_MS, () => scaler.scale());
  const health = new HealthReader({
    dataDir,
    folder: config.dataDir,
    redis,
    credits,
    workers: reports,
    scale: cachedScale,
  });
  const queues = { bulk: queue, interactive: lane };
  const metrics = new ProducerMetrics({
    credits,
    queues,
    redis,
    textsInFlight: () => lane.textsInFlight,
    activeRuns: () => dataDir.runsIfOpen?.active().length ?? 0,
    waitingRuns: () =>
      (dataDir.runsIfOpen?.active() ?? []).filter((run) => run.info().waitsFor !== null).length,
    unackedBytes: () => dataDir.unackedBytes,
    scale: cachedScale,
    health: () => health.read(),
    freeBytes: () => health.freeBytes(),
    stored: () => dataDir.stored,
  });
  const overview = new OverviewReader({
    version: PRODUCER_VERSION,
    redis,
    queues,
    credits,
    runs: () => dataDir.runsIfOpen?.list() ?? [],
    health: () => health.read(),
    alerts: () => alerts.list(),
    workers: reports,
    scale: cachedScale,
    storage: async () => {
      const { stored } = dataDir;
      const freeBytes = (await health.freeBytes()) ?? null;
      return stored && { ...stored, freeBytes, keepRunsDays: config.keepRunsDays ?? null };
    },
  });
  const columns = new RunColumns(COLUMN_CACHE_BYTES);
  const analyses = new Analyses({
    baselineOf: async (model) => (await lane.models()).get(model)?.baseline ?? null,
    findRun: (id) => dataDir.runsIfOpen?.find(id),
    log,
  });
  dataDir.start();
  releasers.add(() => dataDir.stop());
  releasers.add(() => analyses.stop());
  overview.start();
  releasers.add(() => overview.stop());
  const requests = setInterval(() => {
    const active = (dataDir.runsIfOpen?.active() ?? []).filter((run) => !run.isDone);
    fleet
      .requestEach(active.map(({ options }) => options.model))
      .catch((error) => log.debug({ reason: asError(error).message }, 'models could not be requested'));
  }, MODEL_REQUEST_MS);
  releasers.add(() => clearInterval(requests));

  return {
    whenBroken: dataDir.whenLost,
    opening: dataDir.opening,
    ownQueue: queue.own,
    runs: () => dataDir.runs,
    files: () => dataDir.files,
    batches: () => dataDir.batches,
    lane: () => lane,
    columns: () => columns,
    analyses: () => analyses,
    assertOffered: (model) => fleet.assertOffered(model),
    offeredModels: () => fleet.offered(),
    health: () => health.read(),
    alerts: () => alerts,
    metrics: () => metrics.render(),
    countRequest: (request) => metrics.countRequest(request),
    scale: () => scaler.scale(),
    overview: () => overview.read(),
    stop: async () => {
      // A Redis that hangs must not delay the end: what is not stored stays in Redis.
      const cut = setTimeout(cutAllOff, config.shutdownMs);
      await releasers.release().finally(() => clearTimeout(cut));
    },
  };
}

/** Assembles a worker: model, inference threads, queue consumers, health server and metrics. */

import { ConfigError, type Precision, quote, UnavailableError } from '@embedmill/contract';
import type { PullProgress } from '@embedmill/core/hub';
import {
  type Config,
  defaultThreads,
  deferred,
  isRedisFault,
  Releasers,
  settledWithin,
  throttled,
} from '@embedmill/core/process';
import {
  assertUsableRedis,
  BullBatchConsumer,
  connect,
  cutOff,
  FleetModels,
  Heartbeat,
  keysOf,
  ModelRequests,
  RedisExchange,
  RedisVectorCache,
  whenReady,
} from '@embedmill/core/redis';
import { openTracing } from '@embedmill/core/telemetry';
import { describeModel, prepareModel, shareTokenizer } from '@embedmill/embed';
import type { Logger } from 'pino';
import { BatchWork } from './bulk/batch-work.ts';
import { ThreadRate } from './bulk/thread-rate.ts';
import { Glossaries } from './glossaries.ts';
import { HealthServer } from './health-server.ts';
import { type InferenceEvent, InferencePool } from './inference/index.ts';
import { joinInteractiveLane } from './interactive/join.ts';
import { WorkerMetrics } from './metrics.ts';
import { checkModel } from './models/check-model.ts';
import { ModelLoader } from './models/model-loader.ts';
import { type ServedModel, ServedModels } from './models/served-models.ts';
import { isMissing, notInstalled, pullModel } from './pull-model.ts';
import { newWorkerId, reporter } from './report.ts';

/** Options of `startWorker` besides the configuration. */
export interface WorkerOptions {
  log: Logger;
  /** Module of another engine, for benchmarks and fault tests. Default: the engine of `@embedmill/embed`. */
  engineUrl?: URL;
}

/** A started worker. */
export interface RunningWorker {
  /** Base URL of the routes /healthz, /readyz and /metrics. */
  readonly url: string;
  /** Number of inference threads. */
  readonly threads: number;
  /** Model name. */
  readonly model: string;
  /** Fingerprint of the int8 model: 16 hexadecimal characters. */
  readonly fingerprint: string;
  /** Engine of the int8 model, for people, with the reason if it is ONNX Runtime. */
  readonly engine: string;
  /**
   * Resolves when no inference thread can be started any more; the process should then exit and be restarted.
   */
  readonly whenBroken: Promise<Error>;
  /**
   * Takes no new batches, finishes those in progress within `shutdownMs` and leaves the rest to other
   * workers.
   */
  stop(): Promise<void>;
}

/** Precision that every thread opens at start; the other one is opened when a run needs it. */
const FIRST_PRECISION: Precision = 'int8';

/** Maximum wait for the inference threads to exit, after all batches have left them. */
const THREADS_CLOSE_MS = 500;

/** Batches per thread: one in progress and one prefetched, so that no thread waits for Redis. */
const BATCHES_PER_THREAD = 2;

/**
 * Starts a worker. It joins the queue only after its model has reproduced the recorded vectors.
 * @throws {ConfigError} if `REDIS_URL` is not set or does not fit the server
 * @throws if the model cannot be prepared or does not reproduce the recorded vectors
 */
export async function startWorker(config: Config, { log, engineUrl }: WorkerOptions): Promise<RunningWorker> {
  if (config.redisUrl === undefined)
    throw new ConfigError(['REDIS_URL: required; a worker needs the Redis server of its producer']);
  const { redisUrl } = config;
  await assertUsableRedis(redisUrl, log);
  const releasers = new Releasers();
  try {
    const tracing = await openTracing(config, { service: 'embedmill-worker', log });
    releasers.add(() => tracing.stop());
    await pullIfMissing(config, log);
    const prepare = once((precision: Precision) =>
      prepareModel({
        model: config.model,
        precision,
        engine: config.engine,
        kernel: config.kernel,
        cacheDir: config.cacheDir,
      }),
    );
    const model = await prepare(FIRST_PRECISION);
    const tokenizer =
      engineUrl === undefined ? await shareTokenizer(model.tokenizerPath, config.cacheDir) : undefined;
    const models = new ServedModels({
      prepared: model,
      description: await describeModel(model, config.model, config.cacheDir),
      tokenizer,
      poolName: undefined,
      identityOf: prepare,
      rate: new ThreadRate(),
    });

    const cores = defaultThreads();
    const threads = config.threads ?? cores;
    if (threads > cores) {
      log.warn(
        { threads, cores },
        'there are more inference threads than CPU cores; each uses memory and takes time from the others',
      );
    }
    const broken = deferred<Error>();
    const metrics = new WorkerMetrics();
    const pool = new InferencePool({
      threads,
      prepare: async (precision, poolName) => {
        const served = models.inPool(poolName);
        if (served === undefined) throw notServed(poolName);
        const { identityOf, tokenizer } = served;
        const maxBusyThreads = Math.min(threads, cores);
        return {
          ...(await identityOf(precision)),
          memoryBytes: config.repeatsBytes,
          tokenizer,
          maxBusyThreads,
        };
      },
      precision: FIRST_PRECISION,
      ...(engineUrl === undefined ? {} : { engineUrl }),
      onEvent: (event) => {
        logEvent(log, event);
        metrics.countEvent(event);
        if (event.kind === 'gave-up') broken.resolve(event.error);
      },
    });
    metrics.watch(pool);
    metrics.addModel(model);
    releasers.add(async () => {
      // Its batches were finished or handed back: a thread inside a long text ends with the process.
      if (!(await settledWithin([pool.stop({ deadlineMs: config.shutdownMs })], THREADS_CLOSE_MS)))
        log.info('an inference thread is still inside a text; it is not waited for');
    });
    // All users of the exact engine share its weights; of other engines each has its own copy, which must not be one more.
    const startsEarly = engineUrl === undefined && model.engine === 'exact';
    const opening = startsEarly ? pool.start() : undefined;
    opening?.catch(() => {});
    if (engineUrl === undefined) await checkModel(model, { tokenizer, until: opening });
    await (opening ?? pool.start());

    const keys = keysOf(config.prefix);
    const worker = newWorkerId();
    metrics.name(worker);
    const redis = connect(redisUrl, 'patient', log);
    releasers.add(() => cutOff(redis));
    const exchange = new RedisExchange({ redis, keys });
    const glossaries = new Glossaries(exchange);
    const join = (served: ServedModel) =>
      joinInteractiveLane({
        config,
        redisUrl,
        keys,
        worker,
        pool,
        packs: engineUrl === undefined && served.prepared.engine === 'exact',
        glossaries,
        model: served,
        metrics,
        tracing,
        log,
      });
    const loader =
      config.workerModels === 'fixed'
        ? undefined
        : new ModelLoader({
            config,
            requests: new ModelRequests({ redis, keys }),
            models,
            pool,
            metrics,
            join,
            log,
          });
    const work = new BatchWork({
      exchange,
      worker,
      glossaries,
      pool,
      models,
      isComing: (name) => loader?.isComing(name) === true,
      fleet: new FleetModels({ redis, keys }),
      cache:
        config.cacheBytes === 0 ? null : new RedisVectorCache({ redis, keys, maxBytes: config.cacheBytes }),
      metrics,
      tracing,
      log,
    });
    const consumer = new BullBatchConsumer({
      url: redisUrl,
      prefix: keys.queuePrefix,
      concurrency: threads * BATCHES_PER_THREAD,
      lockMs: config.lockMs,
      consume: (job, delivery) => work.consume(job, delivery),
      abandon: (job, reason) => work.abandon(job, reason),
      onLostLocks: (batches) => metrics.countLostLocks(batches),
      telemetry: tracing.telemetry,
      log,
    });
    consumer.start();
    const leaveBulkLane = async () => {
      work.stop();
      const outcome = await consumer.stop(config.shutdownMs, () => pool.stop({ deadlineMs: 0 }));
      if (outcome === 'deadline')
        log.warn('batches in progress did not finish in time; other workers take them over');
    };

    const leaveInteractiveLane = join(models.own);
    await loader?.start();
    const heartbeatRedis = connect(redisUrl, 'command', log);
    const heartbeat = new Heartbeat({
      redis: heartbeatRedis,
      keys,
      report: reporter(worker, { pool, models, loader, pulls: config.pull === 'always' }),
      log,
    });
    heartbeat.start();
    releasers.add(async () => {
      // A Redis that hangs must not delay the end.
      const cut = setTimeout(() => cutOff(heartbeatRedis), config.shutdownMs);
      // At the same time, so that both lanes have all of `shutdownMs`.
      const left = Promise.all([heartbeat.stop(), loader?.stop(), leaveInteractiveLane(), leaveBulkLane()]);
      await left.finally(() => {
        clearTimeout(cut);
        cutOff(heartbeatRedis);
      });
    });

    const health = new HealthServer({
      isReady: async () => (await whenReady(redis, 1000)) && pool.threads > 0,
      metrics: () => metrics.render(),
    });
    const url = await health.start(config.host, config.workerPort);
    releasers.add(() => health.stop());

    return {
      url,
      threads,
      model: model.name,
      fingerprint: model.fingerprint,
      engine: model.sources.engine,
      whenBroken: broken.promise,
      stop: () => releasers.release(),
    };
  } catch (error) {
    await releasers.release().catch((failure) => log.debug({ reason: String(failure) }, 'while cleaning up'));
    throw isRedisFault(error) ? new Error('Redis is unreachable', { cause: error }) : error;
  }
}

/** The refusal of work for a model that was unloaded in the meantime; another delivery finds a worker with it. */
function notServed(model: string | undefined): UnavailableError {
  return new UnavailableError('model-loading', `the model ${quote(model ?? '')} is not served any more`);
}

/** Calls a function once per argument; a failed call is repeated. */
function once<Argument, Value>(call: (argument: Argument) => Promise<Value>) {
  const results = new Map<Argument, Promise<Value>>();
  return (argument: Argument): Promise<Value> => {
    const known = results.get(argument);
    if (known !== undefined) return known;
    const result = call(argument);
    results.set(argument, result);
    result.catch(() => results.delete(argument));
    return result;
  };
}

function logEvent(log: Logger, event: InferenceEvent): void {
  switch (event.kind) {
    case 'thread-ready':
      log.debug({ thread: event.thread, openMs: Math.round(event.openMs) }, 'inference thread is ready');
      break;
    case 'thread-died':
    case 'thread-refused':
      log.error(
        { thread: event.thread, reason: event.error.message },
        'inference thread died; it is replaced',
      );
      break;
    case 'row-isolated':
      log.error(
        { run: event.run, batch: event.batch, row: event.row, reason: event.reason },
        'row crashes inference threads; it gets the verdict failed',
      );
      break;
    case 'gave-up':
      log.fatal({ reason: event.error.message }, 'no inference thread can be started');
      break;
  }
}

/** Interval of log lines about a pull. */
const PULL_LOG_MS = 10_000;

/** Pulls the model of this worker if it is not installed and may be pulled. @throws {HubError} */
async function pullIfMissing(config: Config, log: Logger): Promise<void> {
  const { model } = config;
  if (model === undefined || !isMissing(model, config)) return;
  if (config.pull !== 'always') throw notInstalled(model, config);
  const logProgress = throttled(PULL_LOG_MS, ({ bytesDone, bytesTotal }: PullProgress) =>
    log.info({ model, bytesDone, bytesTotal }, 'pulling the model'),
  );
  log.info({ model, from: config.hubEndpoint }, 'the model is not installed; pulling it');
  const pulled = await pullModel({
    model,
    config,
    onProgress: logProgress,
    signal: new AbortController().signal,
  });
  log.info({ model, commit: pulled.commit, bytes: pulled.bytes }, 'the model is installed');
}

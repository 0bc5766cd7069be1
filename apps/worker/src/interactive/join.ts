/** Puts the worker's end of the interactive lane together; `worker.ts` calls it once the model is proved. */

import { type Config, Releasers } from '@embedmill/core/process';
import {
  AnswerChannels,
  BullBatchConsumer,
  connect,
  type InteractiveJob,
  JobTakers,
  type Keys,
  ModelAnnouncer,
  type ModelDescription,
  RedisClock,
  Withdrawals,
} from '@embedmill/core/redis';
import type { Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import type { Glossaries } from '../glossaries.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { InteractiveWork } from './work.ts';

/** What the lane needs of its worker. */
export interface InteractiveLaneDeps {
  config: Config;
  redisUrl: string;
  keys: Keys;
  /** Id of this worker process. */
  worker: string;
  pool: InferencePool;
  glossaries: Glossaries;
  model: ModelDescription;
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/**
 * Somebody waits: a job of a silent worker goes to another one after this time, whatever the bulk lane allows. A worker
 * whose machine stood still for longer has its texts embedded twice, which does no harm.
 */
const LOCK_MS = 3_000;

/** Jobs held for each thread: one in work and one that waits beside it, so that no thread waits for Redis. */
const JOBS_PER_THREAD = 2;

/** Takes part from now on. @returns what ends that: jobs in work are finished first */
export function joinInteractiveLane(parts: InteractiveLaneDeps): () => Promise<void> {
  const { config, redisUrl, keys, worker, pool, glossaries, model, metrics, tracing, log } = parts;
  const releasers = new Releasers();
  // Of its own: an answer does not wait behind a bulk result on its way to Redis.
  const redis = connect(redisUrl, 'patient', log);
  releasers.add(() => redis.disconnect());
  const clock = new RedisClock(redis);
  clock.start();
  releasers.add(() => clock.stop());

  const subscriber = connect(redisUrl, 'patient', log);
  const withdrawals = new Withdrawals({ subscriber, keys, worker, log });
  const work = new InteractiveWork({
    answers: new AnswerChannels({ redis, keys }),
    takers: new JobTakers({ redis, keys, worker }),
    pool,
    glossaries,
    model: model.name,
    clock,
    withdrawals,
    metrics,
    tracing,
  });
  // Of its own, with places of its own: a lane never waits for a place that the other one holds.
  const consumer = new BullBatchConsumer<InteractiveJob>({
    url: redisUrl,
    prefix: keys.queuePrefix,
    lane: 'interactive',
    concurrency: pool.threads * JOBS_PER_THREAD,
    lockMs: Math.min(LOCK_MS, config.lockMs),
    maxStalls: 0,
    consume: (job, delivery) => work.consume(job, delivery),
    abandon: (job) => work.abandon(job),
    telemetry: tracing.telemetry,
    log,
  });
  consumer.start();
  releasers.add(() => consumer.stop(config.shutdownMs));
  withdrawals.start();
  // First to go: from then on producers do not count on this worker.
  releasers.add(() => subscriber.disconnect());

  const { name, fingerprint, dim, maxTokens } = model;
  const announcer = new ModelAnnouncer({ redis, keys, log });
  announcer.start({ name, fingerprint, dim, maxTokens });
  releasers.add(() => announcer.stop());
  return () => releasers.release();
}

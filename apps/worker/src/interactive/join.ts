/** Assembles the worker's side of the interactive lane; `worker.ts` calls it once the model is checked. */

import { type Config, Releasers } from '@embedmill/core/process';
import {
  AnswerChannels,
  BullBatchConsumer,
  connect,
  cutOff,
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
import { InteractiveWork, type InteractiveWorkDeps } from './work.ts';

/** Dependencies of the interactive lane. */
export interface InteractiveLaneDeps {
  config: Config;
  redisUrl: string;
  keys: Keys;
  /** Id of this worker process. */
  worker: string;
  pool: InferencePool;
  glossaries: Glossaries;
  model: ModelDescription;
  identityOf: InteractiveWorkDeps['identityOf'];
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/**
 * Time after which a job of an unresponsive worker goes to another one, even if the bulk lane allows more,
 * because a caller is waiting. If a worker's machine was only frozen for longer, its texts are embedded
 * twice, without harm.
 */
const LOCK_MS = 3_000;

/** Jobs per thread: one in progress and one prefetched, so that no thread waits for Redis. */
const JOBS_PER_THREAD = 2;

/**
 * Starts to consume interactive jobs and announces the model.
 * @returns a function that leaves the lane after the jobs in progress are finished
 */
export function joinInteractiveLane(deps: InteractiveLaneDeps): () => Promise<void> {
  const { config, redisUrl, keys, worker, pool, glossaries, model, identityOf, metrics, tracing, log } = deps;
  const releasers = new Releasers();
  // A separate connection, so that an answer does not wait behind a bulk result on its way to Redis.
  const redis = connect(redisUrl, 'patient', log);
  releasers.add(() => cutOff(redis));
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
    identityOf,
    clock,
    withdrawals,
    metrics,
    tracing,
  });
  // A separate consumer with its own concurrency, so that neither lane waits for a slot of the other.
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
  // Released first: from then on producers do not send to this worker.
  releasers.add(() => cutOff(subscriber));

  const { name, fingerprint, dim, maxTokens } = model;
  const announcer = new ModelAnnouncer({ redis, keys, log });
  announcer.start({ name, fingerprint, dim, maxTokens });
  releasers.add(() => announcer.stop());
  return () => releasers.release();
}

/** Assembles the worker's side of the interactive lane; `worker.ts` calls it once the model is checked. */

import { type Config, Releasers, settledWithin } from '@embedmill/core/process';
import {
  AnswerChannels,
  CallTaker,
  connect,
  cutOff,
  type Keys,
  ModelAnnouncer,
  RedisClock,
  Withdrawals,
} from '@embedmill/core/redis';
import type { Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import type { Glossaries } from '../glossaries.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { ServedModel } from '../models/served-models.ts';
import { InteractiveWork } from './work.ts';

/** Dependencies of the interactive lane. */
export interface InteractiveLaneDeps {
  config: Config;
  redisUrl: string;
  keys: Keys;
  /** Id of this worker process. */
  worker: string;
  pool: InferencePool;
  packs: boolean;
  glossaries: Glossaries;
  model: ServedModel;
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/** Maximum wait until the parts that this worker leaves to others are handed back. */
const HAND_BACK_MS = 500;

/**
 * Starts to take interactive calls and announces the model.
 * @returns a function that leaves the lane after the calls in progress are answered
 */
export function joinInteractiveLane(deps: InteractiveLaneDeps): () => Promise<void> {
  const {
    config,
    redisUrl,
    keys,
    worker: process,
    pool,
    packs,
    glossaries,
    model,
    metrics,
    tracing,
    log,
  } = deps;
  const { poolName, description, identityOf } = model;
  const { name } = description;
  // Each model has a taker with lists and channels of its own.
  const worker = poolName === undefined ? process : `${process}/${poolName}`;
  const releasers = new Releasers();
  // A separate connection, so that an answer does not wait behind a bulk result on its way to Redis.
  const redis = connect(redisUrl, 'patient', log);
  releasers.add(() => cutOff(redis));
  const clock = new RedisClock(redis);
  clock.start();
  releasers.add(() => clock.stop());

  const subscriber = connect(redisUrl, 'patient', log);
  releasers.add(() => cutOff(subscriber));
  const withdrawals = new Withdrawals({
    subscriber,
    keys,
    model: name,
    worker,
    isFirst: poolName === undefined,
    log,
  });
  const work = new InteractiveWork({
    answers: new AnswerChannels({ redis, keys }),
    worker,
    pool,
    packs,
    glossaries,
    model: name,
    poolName,
    identityOf,
    clock,
    withdrawals,
    metrics,
    tracing,
    log,
  });
  work.start();
  releasers.add(async () => {
    if (!(await settledWithin([work.whenIdle()], config.shutdownMs)))
      await settledWithin([work.handBack()], HAND_BACK_MS);
    work.stop();
  });
  const blocking = connect(redisUrl, 'patient', log);
  releasers.add(() => cutOff(blocking));
  const taker = new CallTaker({
    blocking,
    redis,
    keys,
    model: name,
    worker,
    whenRoom: () => work.whenRoom(),
    take: (message) => work.take(message),
    log,
  });
  taker.start();
  releasers.add(() => taker.stop());
  withdrawals.start();
  // Released first: from then on producers do not send to this worker.
  releasers.add(() => withdrawals.leave());

  const announcer = new ModelAnnouncer({ redis, keys, log });
  announcer.start(description);
  releasers.add(() => announcer.stop());
  return () => releasers.release();
}

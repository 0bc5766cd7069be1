/** Who has taken which interactive job, so that the job of a dead worker can be told from that of a silent one. */

import type { Redis } from 'ioredis';
import { isWorkerAlive } from '../fleet/liveness.ts';
import type { Keys } from '../keys.ts';

/** Longer than a job is in work and its lock takes to expire. */
const LIFETIME_MS = 120_000;

/** What the record works with. */
export interface JobTakersDeps {
  redis: Redis;
  keys: Keys;
  /** Id of this worker process. */
  worker: string;
}

/** The record is best effort: a job without a taker counts as lost. */
export class JobTakers {
  readonly #deps: JobTakersDeps;

  constructor(deps: JobTakersDeps) {
    this.#deps = deps;
  }

  /** Records that this worker has the job. Not awaited: callers wait for the answer. */
  take(job: string): void {
    const { redis, keys, worker } = this.#deps;
    redis.set(keys.taken(job), worker, 'PX', LIFETIME_MS).catch(() => {});
  }

  /** Removes the record of a job that is done. */
  leave(job: string): void {
    this.#deps.redis.unlink(this.#deps.keys.taken(job)).catch(() => {});
  }

  /** True if the worker that took the job is this one or still connected to Redis. @throws a Redis fault */
  async isTakerAlive(job: string): Promise<boolean> {
    const { redis, keys, worker } = this.#deps;
    const taker = await redis.get(keys.taken(job));
    return taker === worker || (taker !== null && (await isWorkerAlive(redis, keys, taker)));
  }
}

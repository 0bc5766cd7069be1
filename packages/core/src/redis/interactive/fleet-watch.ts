/** Checks, while calls wait, that workers and Redis are there to answer them; owned by `PartExchange`. */

import { UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

const CHECK_INTERVAL_MS = 500;

/** Maximum wait for a worker to join: one may be restarting. */
const MAX_WAIT_FOR_WORKERS_MS = 1_500;

/** Maximum wait for Redis to be reachable again: it may be restarting. */
const MAX_WAIT_FOR_REDIS_MS = 2_500;

/** What a watch works with. */
export interface FleetWatchDeps {
  redis: Redis;
  /** The connection on which answers arrive. */
  subscriber: Redis;
  keys: Keys;
  /** Called when the wait for workers or Redis is over. */
  onUnavailable: (error: UnavailableError) => void;
}

/**
 * Counts the subscribers of the channel to which every worker subscribes. Redis notices a killed worker when
 * its connection breaks, long before a lock or a heartbeat expires.
 */
export class FleetWatch {
  readonly #deps: FleetWatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  #workers = 0;
  #noWorkersSince: number | undefined;
  #noRedisSince: number | undefined;

  constructor(deps: FleetWatchDeps) {
    this.#deps = deps;
  }

  /** Number of workers at the last check. */
  get workers(): number {
    return this.#workers;
  }

  /** Starts checking; no effect while it is checking. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#check(), CHECK_INTERVAL_MS);
  }

  /** Stops checking. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#noWorkersSince = undefined;
    this.#noRedisSince = undefined;
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { redis, subscriber, keys, onUnavailable } = this.#deps;
    const checkedAt = performance.now();
    const isOver = (since: number, maxMs: number) => performance.now() - since >= maxMs;
    try {
      const [subscribers] = await Promise.all([countSubscribers(redis, keys.withdrawals), subscriber.ping()]);
      this.#workers = subscribers;
      this.#noRedisSince = undefined;
      this.#noWorkersSince = subscribers > 0 ? undefined : (this.#noWorkersSince ?? checkedAt);
      if (this.#noWorkersSince !== undefined && isOver(this.#noWorkersSince, MAX_WAIT_FOR_WORKERS_MS))
        onUnavailable(new UnavailableError('no-workers', 'no workers are connected'));
    } catch (cause) {
      this.#noRedisSince ??= checkedAt;
      if (isOver(this.#noRedisSince, MAX_WAIT_FOR_REDIS_MS))
        onUnavailable(new UnavailableError('redis-unavailable', 'Redis is unreachable', { cause }));
    } finally {
      this.#isChecking = false;
    }
  }
}

async function countSubscribers(redis: Redis, channel: string): Promise<number> {
  const [, subscribers] = await redis.pubsub('NUMSUB', channel);
  return Number(subscribers);
}

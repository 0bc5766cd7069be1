/** Looks, while calls wait, whether anybody is there to answer them; the lane runs one. */

import { UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

const LOOK_INTERVAL_MS = 500;

/** A worker may be restarting: calls wait so long for one to join. */
const WORKER_PATIENCE_MS = 1_500;

/** Redis may be restarting: calls wait so long for it to be back. */
const REDIS_PATIENCE_MS = 2_500;

/** What a watch works with. */
export interface WatchDeps {
  redis: Redis;
  subscriber: Redis;
  keys: Keys;
  /** Told when waiting has become pointless. */
  onHopeless: (error: UnavailableError) => void;
}

/**
 * Counts the listeners of the channel that every worker listens to. Redis notices a killed worker when its connection
 * breaks, long before a lock or a heartbeat would run out.
 */
export class Watch {
  readonly #deps: WatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #workers = 0;
  #noWorkersSince: number | undefined;
  #noRedisSince: number | undefined;

  constructor(parts: WatchDeps) {
    this.#deps = parts;
  }

  /** Workers that were there at the last look. */
  get workers(): number {
    return this.#workers;
  }

  /** Calls wait from now on. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), LOOK_INTERVAL_MS);
  }

  /** No call waits. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#noWorkersSince = undefined;
    this.#noRedisSince = undefined;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { redis, subscriber, keys, onHopeless } = this.#deps;
    const askedAt = performance.now();
    const patienceIsOver = (since: number, patienceMs: number) => performance.now() - since >= patienceMs;
    try {
      const [listeners] = await Promise.all([countListeners(redis, keys.withdrawals), subscriber.ping()]);
      this.#workers = listeners;
      this.#noRedisSince = undefined;
      this.#noWorkersSince = listeners > 0 ? undefined : (this.#noWorkersSince ?? askedAt);
      if (this.#noWorkersSince !== undefined && patienceIsOver(this.#noWorkersSince, WORKER_PATIENCE_MS))
        onHopeless(new UnavailableError('no-workers', 'no worker is connected'));
    } catch (cause) {
      this.#noRedisSince ??= askedAt;
      if (patienceIsOver(this.#noRedisSince, REDIS_PATIENCE_MS))
        onHopeless(new UnavailableError('redis-unavailable', 'Redis does not answer', { cause }));
    } finally {
      this.#isLooking = false;
    }
  }
}

async function countListeners(redis: Redis, channel: string): Promise<number> {
  const [, listeners] = await redis.pubsub('NUMSUB', channel);
  return Number(listeners);
}

/** The clock of Redis: producers and workers use it for deadlines, whatever their own clocks show. */

import type { Redis } from 'ioredis';

const SYNC_INTERVAL_MS = 10_000;

/** TIME commands per synchronization; the fastest reply counts, as a busy machine delays some. */
const SAMPLES = 5;

/** Between two synchronizations, time advances with the monotonic clock of this process. */
export class RedisClock {
  readonly #redis: Redis;
  #timer: NodeJS.Timeout | undefined;
  /** Added to `performance.now()`. Until the first reply of Redis, the offset of this machine's clock. */
  #offsetMs = performance.timeOrigin;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Synchronizes once Redis is reachable, then every 10 s. */
  start(): void {
    const sync = () => void this.#sync();
    if (this.#redis.status === 'ready') sync();
    this.#redis.on('ready', sync);
    this.#timer = setInterval(sync, SYNC_INTERVAL_MS);
  }

  /** Milliseconds since 1970, to about half a round trip. */
  now(): number {
    return performance.now() + this.#offsetMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #sync(): Promise<void> {
    let fastestMs = Number.POSITIVE_INFINITY;
    try {
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        const sentAt = performance.now();
        const [seconds, microseconds] = (await this.#redis.time()).map(Number);
        const tookMs = performance.now() - sentAt;
        if (tookMs >= fastestMs) continue;
        fastestMs = tookMs;
        this.#offsetMs = seconds! * 1000 + microseconds! / 1000 - (sentAt + tookMs / 2);
      }
    } catch {
      // Redis is unreachable: the last offset stays valid until it is back.
    }
  }
}

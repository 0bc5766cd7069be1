/** The clock of Redis, on which producers and workers agree about deadlines whatever their own clocks say. */

import type { Redis } from 'ioredis';

const LOOK_INTERVAL_MS = 10_000;

/** Of so many questions the one that was answered fastest counts: on a busy machine an answer may lie about for a while. */
const QUESTIONS = 5;

/** Counts on with the monotonic clock of this process between two looks at Redis. */
export class RedisClock {
  readonly #redis: Redis;
  #timer: NodeJS.Timeout | undefined;
  /** What to add to `performance.now()`. Until Redis has answered once: what this machine believes. */
  #offsetMs = performance.timeOrigin;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Looks once Redis is there, and then every ten seconds. */
  start(): void {
    const look = () => void this.#look();
    if (this.#redis.status === 'ready') look();
    this.#redis.on('ready', look);
    this.#timer = setInterval(look, LOOK_INTERVAL_MS);
  }

  /** Milliseconds since 1970, to about half a round trip. */
  now(): number {
    return performance.now() + this.#offsetMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    let fastestMs = Number.POSITIVE_INFINITY;
    try {
      for (let question = 0; question < QUESTIONS; question += 1) {
        const askedAt = performance.now();
        const [seconds, microseconds] = (await this.#redis.time()).map(Number);
        const tookMs = performance.now() - askedAt;
        if (tookMs >= fastestMs) continue;
        fastestMs = tookMs;
        this.#offsetMs = seconds! * 1000 + microseconds! / 1000 - (askedAt + tookMs / 2);
      }
    } catch {
      // Redis is away: what it said last holds until it is back.
    }
  }
}

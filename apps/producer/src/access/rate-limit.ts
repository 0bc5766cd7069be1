/** Limits the requests of each key or address in a minute, counted in Redis over all producers. */

import { UnavailableError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { connect, keysOf } from '@embedmill/core/redis';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { callerOf } from './guard.ts';
import { needOf } from './rules.ts';

/** What is left of a caller's minute. */
export interface RateLeft {
  /** False when this request was one too many. */
  ok: boolean;
  limit: number;
  remaining: number;
  /** Until the caller has the whole limit again. */
  resetSeconds: number;
}

/** Counts requests. */
export interface RateLimiter {
  take(caller: string): Promise<RateLeft>;
  close(): void;
}

/** What a limiter works with. */
export interface RateLimiterDeps {
  config: Pick<Config, 'requestsPerMinute' | 'prefix'>;
  redisUrl: string;
  log: Logger;
}

const WINDOW_SECONDS = 60;

/** Opens a limiter; undefined when there is no limit. While Redis is away, every producer counts for itself. */
export function openRateLimiter({ config, redisUrl, log }: RateLimiterDeps): RateLimiter | undefined {
  const limit = config.requestsPerMinute;
  if (limit === undefined) return undefined;
  const redis = connect(redisUrl, 'command', log);
  const window = { points: limit, duration: WINDOW_SECONDS };
  const limiter = new RateLimiterRedis({
    ...window,
    storeClient: redis,
    keyPrefix: keysOf(config.prefix).rate,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(window),
  });
  return {
    take: async (caller) => {
      const taken = await limiter.consume(caller).catch((refused: unknown) => {
        if (refused instanceof RateLimiterRes) return refused;
        throw refused;
      });
      return {
        ok: taken.consumedPoints <= limit,
        limit,
        remaining: Math.max(0, taken.remainingPoints),
        resetSeconds: Math.ceil(taken.msBeforeNext / 1000),
      };
    },
    close: () => redis.disconnect(),
  };
}

/**
 * Refuses with `rate-limited` what is too much, and tells every caller what is left in the headers `RateLimit` and
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). What is open to everybody is not counted.
 */
export function limitRate(limiter: RateLimiter): RequestHandler {
  return async (req, res, next) => {
    if (needOf(req.method, req.path) === 'open') return next();
    const key = callerOf(res);
    const left = await limiter.take(key === undefined ? `address:${req.ip}` : `key:${key.name}`);
    res.setHeader('RateLimit-Policy', `"default";q=${left.limit};w=${WINDOW_SECONDS}`);
    res.setHeader('RateLimit', `"default";r=${left.remaining};t=${left.resetSeconds}`);
    if (left.ok) return next();
    throw new UnavailableError(
      'rate-limited',
      `more than ${left.limit} requests came in ${WINDOW_SECONDS} s; the next one is answered in ${left.resetSeconds} s`,
      { facts: { retryAfterSeconds: left.resetSeconds } },
    );
  };
}

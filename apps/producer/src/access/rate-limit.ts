/**
 * Limits the requests per minute of each API key or address, counted in Redis across all producers.
 * Decision: docs/decisions/0070.
 */

import { UnavailableError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { connect, keysOf } from '@embedmill/core/redis';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { callerOf } from './guard.ts';
import { needOf } from './rules.ts';

/** The remaining allowance of a caller. */
export interface RateLimitState {
  /** False if this request exceeds the limit. */
  ok: boolean;
  limit: number;
  remaining: number;
  /** Seconds until the caller has the full limit again. */
  resetSeconds: number;
}

/** Counts requests per caller. */
export interface RateLimiter {
  /** Counts one request of a caller. */
  take(caller: string): Promise<RateLimitState>;
  close(): void;
}

/** What a limiter works with. */
export interface RateLimiterDeps {
  config: Pick<Config, 'requestsPerMinute' | 'prefix'>;
  redisUrl: string;
  log: Logger;
}

const WINDOW_SECONDS = 60;

/**
 * Opens a limiter; `undefined` if no limit is configured. While Redis is unavailable, each producer counts
 * its own requests.
 */
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
      const taken = await limiter.consume(caller).catch((rejected: unknown) => {
        if (rejected instanceof RateLimiterRes) return rejected;
        throw rejected;
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
 * Rejects requests over the limit with `rate-limited`, and reports the remaining allowance in the headers
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). Routes that need no key are
 * not counted.
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
      `more than ${left.limit} requests in ${WINDOW_SECONDS} s; try again in ${left.resetSeconds} s`,
      { facts: { retryAfterSeconds: left.resetSeconds } },
    );
  };
}

/** Opens Redis connections with the manners that each use needs; called by the entry points. */

import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/**
 * `command`: answers or fails within seconds, so that an API can say 503 (producer).
 * `patient`: waits for Redis to come back, so that finished vectors are not thrown away (worker, blocking reads).
 */
export type ConnectionManner = 'command' | 'patient';

const SECOND = 1000;

/** Longest wait for the answer to one command on a `command` connection. */
const COMMAND_TIMEOUT_MS = 2.5 * SECOND;

/**
 * A connection that owes an answer and brings no byte for so long is dead, though nobody said so (half open, a silent
 * firewall): it is closed and opened again. The blocking commands of `patient` connections answer within 10 s.
 */
const SILENCE_MS: Readonly<Record<ConnectionManner, number>> = { command: 4 * SECOND, patient: 15 * SECOND };

/** Options for ioredis and, through it, for BullMQ. A blocking command would trip over a command timeout, so `patient` has none. */
export function connectionOptions(manner: ConnectionManner) {
  const shared = {
    socketTimeout: SILENCE_MS[manner],
    connectTimeout: 5 * SECOND,
    keepAlive: 30 * SECOND,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), 2 * SECOND),
  };
  return manner === 'command'
    ? { ...shared, enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS }
    : { ...shared, maxRetriesPerRequest: null };
}

/** A connection that reconnects for ever; its errors go to the log, at most one line in ten seconds. */
export function connect(url: string, manner: ConnectionManner, log: Logger): Redis {
  const redis = new Redis(url, connectionOptions(manner));
  let silentUntil = 0;
  redis.on('error', (error) => {
    if (Date.now() < silentUntil) return;
    silentUntil = Date.now() + 10 * SECOND;
    log.warn({ reason: error.message }, 'Redis does not answer; trying again');
  });
  return redis;
}

/** Resolves when the connection is usable, or after `timeoutMs` with false. */
export function whenReady(redis: Redis, timeoutMs: number): Promise<boolean> {
  if (redis.status === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (ready: boolean) => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      resolve(ready);
    };
    const onReady = () => settle(true);
    const timer = setTimeout(() => settle(false), timeoutMs);
    redis.once('ready', onReady);
  });
}

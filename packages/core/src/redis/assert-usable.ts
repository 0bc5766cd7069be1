/** Refuses servers that a REDIS_URL cannot work with, at the start of a process. */

import { ConfigError } from '@embedmill/contract';
import type { Logger } from 'pino';
import { redisServerProblem } from '../process/redis-server/problem.ts';
import { connect, connectionError, cutOff } from './connect.ts';
import { transportProblem } from './transport-problem.ts';

/** Maximum wait for Redis: a server that is unreachable now is not refused, as it may be starting. */
const WAIT_MS = 1000;

/** Errors of the search for the primary that last, and the remedy. */
const REFUSED_SEARCHES: readonly (readonly [pattern: RegExp, remedy: string])[] = [
  [/cluster support disabled/, 'the server is not part of a cluster; use redis://HOST:PORT'],
  [/unknown command.*SENTINEL/i, 'the server is not a Sentinel; use redis://HOST:PORT'],
];

/**
 * Resolves if the server can be used or does not respond.
 * @throws {ConfigError} with the form of REDIS_URL that fits, or the oldest version that does
 */
export async function assertUsableRedis(url: string, log: Logger): Promise<void> {
  const redis = connect(url, 'command', log);
  try {
    const isReady = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), WAIT_MS);
      const settle = (ready: boolean) => {
        clearTimeout(timer);
        resolve(ready);
      };
      redis.once('ready', () => settle(true));
      redis.once('error', () => settle(false));
    });
    const error = connectionError(redis);
    const problem = isReady
      ? redisServerProblem(url, await redis.info().catch(() => ''))
      : (searchProblemOf(error?.message ?? '') ?? (await transportProblem(url)));
    if (problem !== undefined) throw new ConfigError([`REDIS_URL: ${problem}`]);
  } finally {
    cutOff(redis);
  }
}

function searchProblemOf(message: string): string | undefined {
  if (message.startsWith('NOPRIMARY ')) return message.slice('NOPRIMARY '.length);
  return REFUSED_SEARCHES.find(([pattern]) => pattern.test(message))?.[1];
}

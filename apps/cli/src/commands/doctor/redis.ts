/** Checks the Redis server that would be used. */

import { asError } from '@embedmill/contract';
import { type Config, findRedis, redisServerProblem, shownRedisUrl } from '@embedmill/core/process';
import type { Finding } from './types.ts';

const SUBJECT = 'Redis';
const TIMEOUT_MS = 3_000;

/** Checks the server at REDIS_URL, or else the binary for a private server. */
export async function checkRedis(config: Config): Promise<Finding> {
  return config.redisUrl === undefined ? checkBinary(config.cacheDir) : checkServer(config.redisUrl);
}

async function checkBinary(cacheDir: string): Promise<Finding> {
  const program = await findRedis(cacheDir);
  if (program?.kind === 'binary') {
    const message = `REDIS_URL is not set; a private server will be started (${program.command} ${program.version})`;
    return { health: 'good', subject: SUBJECT, message };
  }
  const message =
    'REDIS_URL is not set and there is no redis-server or valkey-server; one is downloaded at the first start ' +
    '(apt, brew or Docker)';
  return { health: 'notice', subject: SUBJECT, message };
}

async function checkServer(url: string): Promise<Finding> {
  const { connect, whenReady } = await import('@embedmill/core/redis');
  const { createLogger } = await import('@embedmill/core/telemetry');
  const redis = connect(url, 'command', createLogger({ logLevel: 'silent' }, 'doctor'));
  try {
    if (!(await whenReady(redis, TIMEOUT_MS))) {
      return {
        health: 'broken',
        subject: SUBJECT,
        message: `${shownRedisUrl(url)} does not respond within ${TIMEOUT_MS / 1000} s`,
      };
    }
    return checkServerInfo(shownRedisUrl(url), await redis.info());
  } catch (error) {
    return {
      health: 'broken',
      subject: SUBJECT,
      message: `${shownRedisUrl(url)}: ${asError(error).message}`,
    };
  } finally {
    redis.disconnect();
  }
}

/** Checks kind, version and eviction policy. @param info the response to INFO */
export function checkServerInfo(url: string, info: string): Finding {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const version = field('valkey_version') ?? field('redis_version') ?? '?';
  const policy = field('maxmemory_policy') ?? 'unknown';
  const what = `${url}, version ${version}, maxmemory-policy ${policy}`;
  const problem = redisServerProblem(url, info);
  if (problem !== undefined) return { health: 'broken', subject: SUBJECT, message: `${url}: ${problem}` };
  if (policy !== 'noeviction') {
    const limit = Number(field('maxmemory') ?? 0);
    const advice = 'run "redis-cli config set maxmemory-policy noeviction"';
    return limit > 0
      ? {
          health: 'broken',
          subject: SUBJECT,
          message: `${what}; a full Redis would evict queued work: ${advice}`,
        }
      : {
          health: 'notice',
          subject: SUBJECT,
          message: `${what}; harmless only without maxmemory: ${advice}`,
        };
  }
  return { health: 'good', subject: SUBJECT, message: what };
}

/** Checks the Redis server that would be used. */

import {
  type Config,
  type Fault,
  faultOf,
  findRedis,
  redisServerProblem,
  shownRedisUrl,
} from '@embedmill/core/process';
import type { Finding } from './types.ts';

const SUBJECT = 'Redis';
const TIMEOUT_MS = 3_000;

/** Checks the server at REDIS_URL, or else the binary for a private server. */
export async function checkRedis({
  redisUrl,
  cacheDir,
  prefix,
}: Pick<Config, 'redisUrl' | 'cacheDir' | 'prefix'>): Promise<Finding> {
  return redisUrl === undefined ? checkBinary(cacheDir) : checkServer(redisUrl, prefix);
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

async function checkServer(url: string, prefix: string): Promise<Finding> {
  const { connect, connectionError, whenReady } = await import('@embedmill/core/redis');
  const { createLogger } = await import('@embedmill/core/telemetry');
  const redis = connect(url, 'command', createLogger({ logLevel: 'silent' }, 'doctor'));
  try {
    if (!(await whenReady(redis, TIMEOUT_MS))) {
      throw connectionError(redis) ?? new Error('Connection is closed');
    }
    const info = await redis.info();
    const finding = checkServerInfo(shownRedisUrl(url), info);
    if (finding.health === 'broken') return finding;
    // Scripts do all the work, and a cluster may keep the keys elsewhere.
    await redis.eval("return redis.call('exists', KEYS[1])", 1, `{${prefix}}:doctor`);
    if (fieldOf(info, 'role') === 'slave') throw new Error('READONLY the server is a replica');
    return finding;
  } catch (error) {
    return unusable(shownRedisUrl(url), faultOf(error));
  } finally {
    redis.disconnect();
  }
}

/** The fault in the words of `embedmill status` and of the pages. */
async function unusable(url: string, fault: Fault): Promise<Finding> {
  const { remedyOf } = await import('@embedmill/producer');
  return { health: 'broken', subject: SUBJECT, message: `${url}: ${fault.sentence}. ${remedyOf(fault)}` };
}

/** A field of the response to INFO. */
function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
}

/** Checks kind, version and eviction policy. @param info the response to INFO */
export function checkServerInfo(url: string, info: string): Finding {
  const field = (name: string) => fieldOf(info, name);
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

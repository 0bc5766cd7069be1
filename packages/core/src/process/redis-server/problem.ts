/** Says why a server cannot be used with a REDIS_URL, from its reply to INFO. */

import { readRedisUrl } from '../config/redis-url.ts';

/** Oldest supported version of Redis. */
const MIN_VERSION = [6, 2] as const;

/**
 * What is wrong with a server, as a sentence without its first capital letter.
 * @param url the URL by which it was reached
 * @param info the reply to INFO; empty if the user may not read it
 * @returns undefined if nothing is wrong
 */
export function redisServerProblem(url: string, info: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const read = readRedisUrl(url);
  const isCluster = read.ok && read.address.kind === 'cluster';
  const mode = field('redis_mode') ?? field('server_mode');
  if (mode === 'cluster' && !isCluster)
    return 'the server is a node of a Redis Cluster; use redis+cluster://HOST:PORT (rediss+cluster:// with TLS)';
  if (mode === 'sentinel')
    return 'the server is a Redis Sentinel; use redis+sentinel://HOST:PORT/NAME with the name of the primary';
  const version = field('redis_version');
  if (version === undefined) return undefined;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]);
  return isOld
    ? `the server has version ${version}; ${MIN_VERSION.join('.')} or later is required`
    : undefined;
}

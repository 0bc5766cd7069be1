/** Opens Redis connections with the timeouts and retries that each use needs; called by the entry points. */

import { readFileSync } from 'node:fs';
import { asError, ConfigError } from '@embedmill/contract';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type RedisAddress, readRedisUrl } from '../process/config/redis-url.ts';
import { faultOf } from '../process/faults.ts';
import { connectorTo } from './primary/connector.ts';
import { PrimaryLocator } from './primary/locator.ts';

/**
 * - `command`: commands succeed or fail within seconds, so that an API can answer 503 (producer).
 * - `bulk`: commands fail after seconds of silence, however long their bytes take on a slow link (payloads, results, jobs).
 * - `patient`: commands wait for Redis to return, so that finished vectors are not lost (worker, blocking reads).
 */
export type ConnectionMode = 'command' | 'bulk' | 'patient';

const SECOND = 1000;

/** Maximum wait for the reply to one command on a `command` connection. */
const COMMAND_TIMEOUT_MS = 2.5 * SECOND;

/**
 * A connection that owes a reply and receives no byte for this time is dead (half open, or a firewall drops
 * packets): it is closed and reopened. The blocking commands of `patient` connections return within 10 s.
 */
const SILENCE_MS: Readonly<Record<ConnectionMode, number>> = {
  command: 4 * SECOND,
  bulk: 4 * SECOND,
  patient: 15 * SECOND,
};

/** Maximum wait for the other side to close a connection that this side closes. */
const DISCONNECT_MS = 250;

/** What of the options depends on the URL. */
interface ServerOptions {
  family: number;
  db: number;
  host?: string;
  port?: number;
  path?: string;
  username?: string;
  password?: string;
  tls?: Record<string, Buffer>;
  Connector?: ReturnType<typeof connectorTo>;
}

/** Minimum time between two reconnections of a connection for a reply that another server is the primary. */
const RECONNECT_INTERVAL_MS = SECOND;

/** Replies of a server that is not, or no longer, the one to talk to. */
const NOT_PRIMARY = ['MOVED', 'READONLY', 'CLUSTERDOWN', 'UNBLOCKED'];

/** One locator per URL, so that all connections of the process follow a failover that one of them sees. */
const locators = new Map<string, PrimaryLocator>();

/**
 * Options for ioredis, also through BullMQ. Only `command` has a timeout for whole replies: blocking commands would exceed
 * it, and so would a megabyte on a slow link.
 * @param url in one of the forms of docs/deploy.md
 * @throws {ConfigError} for another URL, or a certificate that cannot be read
 */
export function connectionOptions(
  url: string,
  mode: ConnectionMode,
): ServerOptions & ReturnType<typeof modeOptions> {
  return { ...serverOptions(url), ...modeOptions(mode) };
}

function serverOptions(url: string): ServerOptions {
  const read = readRedisUrl(url);
  if (!read.ok) throw new ConfigError([`REDIS_URL: ${read.problem}`]);
  const { kind, endpoints, path, db, family, username, password, tls } = read.address;
  const access = {
    family,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: certificatesOf(tls) }),
  };
  if (kind === 'socket') return { ...access, db, path: path! };
  if (kind === 'server') return { ...access, db, ...endpoints[0]! };
  const locator = locators.get(url) ?? new PrimaryLocator(read.address, access);
  locators.set(url, locator);
  return { ...access, db, Connector: connectorTo(locator) };
}

/** Reads PEM files. @throws {ConfigError} */
function certificatesOf(files: NonNullable<RedisAddress['tls']>): Record<string, Buffer> {
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    given.map(([name, path]) => {
      try {
        return [name, readFileSync(path)];
      } catch (cause) {
        throw new ConfigError([
          `REDIS_URL: the file of its option ${name} cannot be read: ${asError(cause).message}`,
        ]);
      }
    }),
  );
}

/** Whether to reconnect because of a reply; at most once per second, as a primary may be read-only for longer. */
function followsPrimary(): (error: Error) => boolean {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!NOT_PRIMARY.includes(faultOf(error).kind)) return false;
    if (performance.now() - lastAt < RECONNECT_INTERVAL_MS) return false;
    lastAt = performance.now();
    return true;
  };
}

function modeOptions(mode: ConnectionMode) {
  const shared = {
    reconnectOnError: followsPrimary(),
    socketTimeout: SILENCE_MS[mode],
    connectTimeout: 5 * SECOND,
    keepAlive: 30 * SECOND,
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), 2 * SECOND),
  };
  if (mode === 'patient') return { ...shared, maxRetriesPerRequest: null };
  const failing = { ...shared, enableOfflineQueue: false };
  return mode === 'bulk'
    ? { ...failing, maxRetriesPerRequest: 0 }
    : { ...failing, maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS };
}

/** Why each connection that is not usable is not; see {@link connectionError}. */
const connectionErrors = new WeakMap<Redis, Error>();

/** Opens a connection that reconnects without limit; logs its errors, at most one line per 10 s. */
export function connect(url: string, mode: ConnectionMode, log: Logger): Redis {
  const redis = new Redis(connectionOptions(url, mode));
  let silentUntil = 0;
  redis.on('ready', () => connectionErrors.delete(redis));
  redis.on('error', (error) => {
    connectionErrors.set(redis, error);
    if (performance.now() < silentUntil) return;
    silentUntil = performance.now() + 10 * SECOND;
    log.warn({ reason: error.message }, 'Redis is unreachable; retrying');
  });
  return redis;
}

/**
 * The latest error of a connection of {@link connect} since it was last usable, such as a refused password; the errors of its
 * commands only say that it is closed.
 */
export function connectionError(redis: Redis): Error | undefined {
  return connectionErrors.get(redis);
}

/**
 * Closes a connection for good; the commands that wait for it or for its replies fail within `DISCONNECT_MS`. ioredis alone
 * would leave commands pending that were issued during an outage.
 */
export function cutOff(redis: Redis): void {
  if (redis.status !== 'end') {
    const isReconnecting = redis.status === 'reconnecting';
    redis.disconnect();
    if (isReconnecting) {
      // An attempt that is called off before it starts fails all pending commands.
      redis.connect().catch(() => {});
      redis.disconnect();
    }
  }
  failUnfulfilled(redis);
}

/**
 * Fails the commands whose connection broke before their reply. ioredis keeps them to send them again, and forgets them if the
 * next connection never becomes usable, for example because Redis now requires a password.
 */
function failUnfulfilled(redis: Redis): void {
  const { prevCommandQueue: unfulfilled } = redis as unknown as {
    prevCommandQueue?: { shift(): { command: { reject(error: Error): void } } | undefined };
  };
  for (let item = unfulfilled?.shift(); item !== undefined; item = unfulfilled?.shift()) {
    item.command.reject(new Error('Connection is closed.'));
  }
}

/** Resolves with true when the connection is usable, or with false after `timeoutMs`. */
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

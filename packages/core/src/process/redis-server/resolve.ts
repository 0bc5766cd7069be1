/**
 * Decides which Redis this process uses, the given one or a private one; called by the CLI, the tests and `npm start`.
 * Decision: docs/decisions/0004.
 */

import { join } from 'node:path';
import { PrivateRedis, type PrivateRedisExit } from './private-redis.ts';
import { provideRedis } from './provide.ts';

/** What {@link resolveRedis} needs. */
export interface ResolveRedisOptions {
  /** A Redis that exists (REDIS_URL); it is used as it is and never stopped by us. Without it, a private one is started. */
  url?: string | undefined;
  /** EMBEDMILL_DATA_DIR; the private server keeps its files in the folder `redis` inside it. */
  dataDir: string;
  /** EMBEDMILL_CACHE; a fetched Redis binary is kept in the folder `redis` inside it. */
  cacheDir: string;
  /** Receives one line for each thing that takes time or changes the machine. Default: nobody is told. */
  log?: (line: string) => void;
  /** Whether a missing binary may be fetched. Default true; false makes a missing binary an error. */
  install?: boolean;
  /** `maxmemory` of the private server in bytes. Default 512 MiB: Redis is a buffer here, never the store. */
  maxMemoryBytes?: number;
  /** How long the private server may take until it answers, in ms. Default 60 000 (a large append-only file takes its time). */
  startTimeoutMs?: number;
}

/** The Redis to use, and the duty to stop it. */
export interface ResolvedRedis {
  /** Where it listens; the URL of a private server holds its password. */
  url: string;
  /** `given` when the caller brought the URL, `private` when the server is our child. */
  origin: 'given' | 'private';
  /** Process id of the private server; undefined for a given one. */
  pid: number | undefined;
  /** Settles when the private server ended, asked or not; never settles for a given one. */
  exited: Promise<PrivateRedisExit>;
  /** Stops the private server and waits until its data is on disk; does nothing to a given one. Safe to call twice. */
  stop: () => Promise<void>;
}

/**
 * Returns the Redis this process shall use. A private server listens on loopback only, on a random port with a random
 * password, writes an append-only file, refuses writes instead of evicting, and ends when this process ends, also by
 * kill -9.
 *
 * Errors: `redis-missing` (no binary and no way to get one), `redis-folder-in-use` (another process runs a server on
 * the same folder), `redis-start-failed` (with the last lines of the server's log).
 */
export async function resolveRedis(options: ResolveRedisOptions): Promise<ResolvedRedis> {
  if (options.url !== undefined) {
    return {
      url: options.url,
      origin: 'given',
      pid: undefined,
      exited: new Promise(() => {}),
      stop: async () => {},
    };
  }
  const log = options.log ?? (() => {});
  const program = await provideRedis({ cacheDir: options.cacheDir, install: options.install ?? true, log });
  const server = new PrivateRedis({
    program,
    folder: join(options.dataDir, 'redis'),
    maxMemoryBytes: options.maxMemoryBytes ?? 512 * 1024 * 1024,
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    log,
  });
  await server.start();
  return {
    url: server.url,
    origin: 'private',
    pid: server.pid,
    exited: server.exited,
    stop: () => server.stop(),
  };
}

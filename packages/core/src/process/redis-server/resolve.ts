/**
 * Selects the Redis server of a process: the given one, or a private one that it starts.
 * Decision: docs/decisions/0004.
 */

import { join } from 'node:path';
import { PrivateRedis, type PrivateRedisExit } from './private-redis.ts';
import { provideRedis } from './provide.ts';

/** Options of {@link resolveRedis}. */
export interface ResolveRedisOptions {
  /** URL of an existing server (REDIS_URL), which is never stopped. Default: a private server is started. */
  url?: string | undefined;
  /** EMBEDMILL_DATA_DIR; the private server stores its files in the subfolder `redis`. */
  dataDir: string;
  /** EMBEDMILL_CACHE; a fetched Redis binary is stored in the subfolder `redis`. */
  cacheDir: string;
  /** Receives one line before each step that takes time or changes the machine. Default: none. */
  log?: (line: string) => void;
  /** Whether a missing binary may be fetched; if false, it is an error. Default true. */
  install?: boolean;
  /** `maxmemory` of the private server in bytes. Default 512 MiB: Redis is a buffer here, not the store. */
  maxMemoryBytes?: number;
  /**
   * Maximum start time of the private server in ms. Default 60,000 (a large append-only file loads slowly).
   */
  startTimeoutMs?: number;
}

/** The Redis server to use; the caller must stop it. */
export interface ResolvedRedis {
  /** The URL of the server; that of a private server contains its password. */
  url: string;
  /** `given` for the URL of the caller, `private` for a server started by this process. */
  origin: 'given' | 'private';
  /** Process id of a private server; undefined for a given one. */
  pid: number | undefined;
  /** Resolves when the private server ends, stopped or not; never resolves for a given one. */
  exited: Promise<PrivateRedisExit>;
  /** Stops a private server and waits until its data is on disk; does nothing for a given one. Idempotent. */
  stop: () => Promise<void>;
  /** Kills a private server whose data is no longer needed; does nothing for a given one. Idempotent. */
  kill: () => Promise<void>;
}

/**
 * Returns the Redis server to use. A private server listens on loopback only, on a random port with a random
 * password, writes an append-only file, rejects writes instead of evicting keys, and ends with this process,
 * even after kill -9.
 *
 * Errors: `redis-missing` (no binary found or fetched), `redis-folder-in-use` (another process runs a server
 * on the same folder), `redis-start-failed` (with the last lines of the server's log).
 */
export async function resolveRedis(options: ResolveRedisOptions): Promise<ResolvedRedis> {
  if (options.url !== undefined) {
    return {
      url: options.url,
      origin: 'given',
      pid: undefined,
      exited: new Promise(() => {}),
      stop: async () => {},
      kill: async () => {},
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
    kill: () => server.kill(),
  };
}

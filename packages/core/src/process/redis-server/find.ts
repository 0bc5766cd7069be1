/** Finds a redis-server or valkey-server that runs on this machine; called before anything is fetched. */

import { join } from 'node:path';
import { run } from './run.ts';

/** A way to run a Redis server. */
export type RedisProgram =
  | {
      kind: 'binary';
      /** A name on PATH or an absolute path. */
      command: string;
      version: string;
    }
  | {
      kind: 'docker';
      /** The image to run. */
      image: string;
    };

/** The oldest server we use: XAUTOCLAIM, with which a collector takes over a dead one's shards, came with 6.2. */
const OLDEST_VERSION = [6, 2] as const;

/** Where a fetched server is kept: a script that finds the libraries fetched with it. */
export function fetchedCommand(cacheDir: string): string {
  return join(cacheDir, 'redis', 'bin', 'redis-server');
}

/**
 * The first server that runs and is new enough: `redis-server`, then `valkey-server` on PATH, then the one fetched
 * earlier into `cacheDir`; undefined if there is none.
 */
export async function findRedis(cacheDir: string): Promise<RedisProgram | undefined> {
  for (const command of ['redis-server', 'valkey-server', fetchedCommand(cacheDir)]) {
    const version = await serverVersion(command);
    if (version !== undefined && isNewEnough(version)) return { kind: 'binary', command, version };
  }
  return undefined;
}

/** The version a server binary prints, for example `7.0.15`; undefined if it does not run here. */
async function serverVersion(command: string): Promise<string | undefined> {
  const { code, stdout } = await run(command, ['--version']);
  return code === 0 ? /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor >= OLDEST_VERSION[1]);
}

/** Finds a redis-server or valkey-server binary that runs on this machine. */

import { join } from 'node:path';
import { runProgram } from './run-program.ts';

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

/**
 * Minimum server version: 6.2 introduced XAUTOCLAIM, with which a collector takes over the shards of a dead
 * one.
 */
const MIN_VERSION = [6, 2] as const;

/** The path of the fetched server: a script that sets the path of the libraries fetched with it. */
export function fetchedCommand(cacheDir: string): string {
  return join(cacheDir, 'redis', 'bin', 'redis-server');
}

/**
 * Returns the first server that runs and is new enough: `redis-server`, then `valkey-server` on PATH, then
 * the one fetched earlier into `cacheDir`; undefined if there is none.
 */
export async function findRedis(cacheDir: string): Promise<RedisProgram | undefined> {
  for (const command of ['redis-server', 'valkey-server', fetchedCommand(cacheDir)]) {
    const version = await serverVersion(command);
    if (version !== undefined && isNewEnough(version)) return { kind: 'binary', command, version };
  }
  return undefined;
}

/** The version printed by a server binary, such as `7.0.15`; undefined if it does not run on this machine. */
async function serverVersion(command: string): Promise<string | undefined> {
  const { code, stdout } = await runProgram(command, ['--version']);
  return code === 0 ? /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1]);
}

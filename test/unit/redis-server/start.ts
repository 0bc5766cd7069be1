/** Starts private servers for the tests of redis-server. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ResolvedRedis, type ResolveRedisOptions, resolveRedis } from '@embedmill/core/process';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { startNode, type TestProcess } from '../../support/process.ts';
import { cacheDir } from '../../support/redis.ts';

/** A private server in `dataDir`, stopped after the test. */
export async function startPrivate(
  dataDir: string,
  options: Partial<ResolveRedisOptions> = {},
): Promise<ResolvedRedis> {
  const redis = await resolveRedis({ dataDir, cacheDir, ...options });
  onTestFinished(() => redis.stop());
  return redis;
}

/** A private server whose parent is another process; resolves when it answers. */
export async function startInChild(
  dataDir: string,
): Promise<{ parent: TestProcess; url: string; pid: number }> {
  const script = fileURLToPath(new URL('./parent.mjs', import.meta.url));
  const parent = startNode([script, dataDir, cacheDir]);
  const [line] = await parent.waitFor(/^\{.*\}$/m);
  return { parent, ...(JSON.parse(line) as { url: string; pid: number }) };
}

/** Runs commands on a server over a connection of its own. */
export async function onRedis<Result>(url: string, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(url, { retryStrategy: () => null });
  // The command that fails tells; without a listener ioredis prints the error besides.
  client.on('error', () => {});
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** One column of `ps` for a process, for example `pgid`. */
export function processColumn(pid: number, column: string): string {
  return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
}

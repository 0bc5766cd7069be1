/** Starts one Redis before all tests and stops it after them; called by vitest. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, resolveRedis } from '@embedmill/core/process';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the test run's Redis: a private one, or REDIS_URL. */
    redisUrl: string;
  }
}

/** Provides `redisUrl` to all tests; returns the function that stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { redisUrl, cacheDir } = readConfig(process.env);
  const dataDir = await mkdtemp(join(tmpdir(), 'embedmill-test-'));
  const redis = await resolveRedis({ url: redisUrl, dataDir, cacheDir, log: (line) => console.log(line) });
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    await rm(dataDir, { recursive: true });
  };
}

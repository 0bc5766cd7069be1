/** Gives each test its own corner of the Redis of the test run. */

import { randomBytes } from 'node:crypto';
import { readConfig } from '@embedmill/core/process';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';

/** The cache of this machine, for tests that start a private Redis of their own: its binary need not be fetched again. */
export const { cacheDir } = readConfig(process.env);

/** What a test gets. */
export interface TestRedis {
  /** The Redis that all tests share; it may hold a password. */
  url: string;
  /** Starts all keys of this test; random, letters and digits. Hand it over as EMBEDMILL_PREFIX. */
  prefix: string;
  /** A connection for looking and tampering. */
  client: Redis;
}

/** A prefix of its own and a connection; after the test, keys that hold the prefix are deleted and the connection is closed. */
export function testRedis(): TestRedis {
  const url = inject('redisUrl');
  const prefix = `test${randomBytes(6).toString('hex')}`;
  const client = new Redis(url);
  onTestFinished(async () => {
    for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 1_000 })) {
      if (keys.length > 0) await client.unlink(keys);
    }
    client.disconnect();
  });
  return { url, prefix, client };
}

/** Gives each test its own key prefix in the Redis of the test run. */

import { randomBytes } from 'node:crypto';
import { readConfig } from '@embedmill/core/process';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';

/** Cache folder of this machine, so that tests with a private Redis do not download its binary again. */
export const { cacheDir } = readConfig(process.env);

/** A prefix and a connection. */
export interface TestRedis {
  /** URL of the shared Redis; it may contain a password. */
  url: string;
  /** Random prefix of letters and digits for all keys of this test; pass it as EMBEDMILL_PREFIX. */
  prefix: string;
  /** A connection for checks and manipulation. */
  client: Redis;
}

/**
 * Creates a prefix and a connection; after the test, keys with the prefix are deleted and the connection is
 * closed.
 */
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

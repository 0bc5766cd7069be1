/** A run whose producer and worker reach Redis through a bad network. */

import { onTestFinished } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';
import { type RunInWork, startRunInWork } from './mill.ts';
import { testRedis } from './redis.ts';
import { seededRandom } from './seeded-random.ts';

/** Starts the run; the network is sound until the test says otherwise. */
export async function startProxiedRun(): Promise<RunInWork & { proxy: FaultProxy }> {
  const redis = testRedis();
  const url = new URL(redis.url);
  const proxy = new FaultProxy({ host: url.hostname, port: Number(url.port) }, seededRandom(1));
  await proxy.start();
  onTestFinished(() => proxy.stop());
  url.port = String(proxy.port);
  return { proxy, ...(await startRunInWork({ url: url.href, prefix: redis.prefix })) };
}

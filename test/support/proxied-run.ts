/** Runs behind a fault-injecting proxy. */

import { onTestFinished } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';
import { type MillPlace, type RunInWork, startRunInWork } from './mill.ts';
import { type TestRedis, testRedis } from './redis.ts';
import { seededRandom } from './seeded-random.ts';

/** Starts a proxy in front of the test Redis, without faults; `place` leads through it. */
export async function startProxy(redis: TestRedis): Promise<{ proxy: FaultProxy; place: MillPlace }> {
  const url = new URL(redis.url);
  const proxy = new FaultProxy({ host: url.hostname, port: Number(url.port) }, seededRandom(1));
  await proxy.start();
  onTestFinished(() => proxy.stop());
  url.port = String(proxy.port);
  return { proxy, place: { url: url.href, prefix: redis.prefix } };
}

/** Starts a run behind a proxy. */
export async function startProxiedRun(): Promise<RunInWork & { proxy: FaultProxy }> {
  const { proxy, place } = await startProxy(testRedis());
  return { proxy, ...(await startRunInWork(place)) };
}

/**
 * Tells dead workers from silent ones: each worker process subscribes to a channel of its own, and Redis ends the subscription when
 * the process ends, yet not while its machine stands still.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

/** A worker whose connection broke subscribes again within this time. */
const RECONNECT_MS = 1000;

/** True if the worker process with this id is connected to Redis, now or a second later. @throws a Redis fault */
export async function isWorkerAlive(redis: Redis, keys: Keys, worker: string): Promise<boolean> {
  const channel = keys.alive(worker);
  const isSubscribed = async () => Number((await redis.pubsub('NUMSUB', channel))[1]) > 0;
  if (await isSubscribed()) return true;
  await sleep(RECONNECT_MS);
  return await isSubscribed();
}

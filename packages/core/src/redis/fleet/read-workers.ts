/** Lists the workers that beat; the producer's overview asks it. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import type { WorkerReport } from './types.ts';

/**
 * The workers of the fleet, in the order of their ids. Those that fell silent are struck off.
 * @throws a Redis fault
 */
export async function readWorkers(redis: Redis, keys: Keys): Promise<WorkerReport[]> {
  const ids = (await redis.smembers(keys.workers)).sort();
  if (ids.length === 0) return [];
  const reports = await redis.mget(ids.map((id) => keys.worker(id)));
  const silent = ids.filter((_, i) => reports[i] === null);
  if (silent.length > 0) await redis.srem(keys.workers, silent);
  return reports.flatMap((json) => (json == null ? [] : [JSON.parse(json) as WorkerReport]));
}

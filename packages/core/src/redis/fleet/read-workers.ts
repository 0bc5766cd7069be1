/** Lists the live workers for the producer's overview. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import type { WorkerReport } from './types.ts';

/**
 * Reports of the live workers, ordered by id. Workers whose report has expired are removed from the list.
 * @throws a Redis fault
 */
export async function readWorkers(redis: Redis, keys: Keys): Promise<WorkerReport[]> {
  const ids = (await redis.smembers(keys.workers)).sort();
  if (ids.length === 0) return [];
  const reports = await redis.mget(ids.map((id) => keys.worker(id)));
  const silent = ids.filter((_, i) => reports[i] === null);
  if (silent.length > 0) await redis.srem(keys.workers, silent);
  return reports.flatMap((json) => (json == null ? [] : (reportOf(json) ?? [])));
}

/** `null` for a report that no worker of Embedmill wrote. */
function reportOf(json: string): WorkerReport | null {
  try {
    const report = JSON.parse(json) as WorkerReport | null;
    return typeof report?.id === 'string' && typeof report.model === 'string' ? report : null;
  } catch {
    return null;
  }
}

/**
 * Results that no producer fetches: those of data folders without a lease. They expire within a day, and give way earlier when Redis
 * is nearly full. A producer that comes back sends their batches again from its disk.
 */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

/** A producer that is restarted holds its lease again within this time. */
const GRACE_MS = 60_000;

/** Entries per step: their results are deleted with one command. */
const ENTRIES_PER_STEP = 500;

/** What a sweep works with. */
export interface AbandonedResultsDeps {
  redis: Redis;
  keys: Keys;
}

/** Knows since when the data folders in Redis have had no lease. */
export class AbandonedResults {
  readonly #deps: AbandonedResultsDeps;
  /** Data folder ids and the time (monotonic) since which they have had no lease. */
  readonly #since = new Map<string, number>();

  constructor(deps: AbandonedResultsDeps) {
    this.#deps = deps;
  }

  /**
   * Deletes the results of data folders that have had no lease for a minute of calls.
   * @param graceMs how long without a lease. Default 60 s
   * @returns number of results
   * @throws a Redis fault
   */
  async sweep(graceMs = GRACE_MS): Promise<number> {
    const { redis, keys } = this.#deps;
    const without = new Set<string>();
    for await (const found of redis.scanStream({ match: keys.ready('*'), count: 1000 })) {
      for (const key of found as string[]) {
        const id = key.slice(keys.ready('').length);
        if ((await redis.exists(keys.lease(id))) === 0) without.add(id);
      }
    }
    for (const id of [...this.#since.keys()]) if (!without.has(id)) this.#since.delete(id);
    let deleted = 0;
    for (const id of without) {
      const since = this.#since.get(id) ?? performance.now();
      this.#since.set(id, since);
      if (performance.now() - since >= graceMs) deleted += await this.#empty(id);
    }
    return deleted;
  }

  async #empty(id: string): Promise<number> {
    const { redis, keys } = this.#deps;
    const stream = keys.ready(id);
    let deleted = 0;
    for (;;) {
      const entries = await redis.xrange(stream, '-', '+', 'COUNT', ENTRIES_PER_STEP);
      if (entries.length === 0) break;
      const results = entries.flatMap(([, [, run = '', , batch = '']]) =>
        run === '' ? [] : [keys.result(run, Number(batch))],
      );
      // The done bits stay: the producer finds their results missing and reopens the batches.
      if (results.length > 0) deleted += await redis.unlink(...results);
      await redis.xdel(stream, ...entries.map(([entry]) => entry));
    }
    await redis.unlink(stream);
    return deleted;
  }
}

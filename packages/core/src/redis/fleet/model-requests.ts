/**
 * Models that runs or callers wait for: the producer writes them, and workers that may load one read them.
 *
 * A request expires, so that a worker never loads a model for a run that has ended; the producer repeats it while the run
 * is active.
 *
 * Decision: docs/decisions/0193.
 */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

/** Lifetime of a request. */
const LIFE_MS = 30_000;

/** A model that is wanted. */
export interface ModelRequest {
  /** Name under which workers serve it. */
  model: string;
  /** Name on the hub: `owner/name`, optionally with a revision; `null` if only workers have it. */
  source: string | null;
}

/** Writes and reads the requests. */
export class ModelRequests {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Asks for a model, for the next 30 seconds. @throws a Redis fault */
  async write({ model, source }: ModelRequest): Promise<void> {
    const { wantedModel, wantedModels } = this.#keys;
    await this.#redis
      .multi()
      .set(wantedModel(model), source ?? '', 'PX', LIFE_MS)
      .sadd(wantedModels, model)
      .pexpire(wantedModels, LIFE_MS)
      .exec();
  }

  /** The requests, ordered by name. @throws a Redis fault */
  async read(): Promise<ModelRequest[]> {
    const { wantedModel, wantedModels } = this.#keys;
    const names = (await this.#redis.smembers(wantedModels)).sort();
    if (names.length === 0) return [];
    const sources = await this.#redis.mget(names.map(wantedModel));
    const expired = names.filter((_, i) => sources[i] === null);
    if (expired.length > 0) await this.#redis.srem(wantedModels, expired);
    return names.flatMap((model, i): ModelRequest[] => {
      const source = sources[i];
      return source == null ? [] : [{ model, source: source === '' ? null : source }];
    });
  }
}

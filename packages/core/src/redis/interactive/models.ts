/** The model registry in Redis: workers announce their models, producers read them. */

import { asError, UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Keys } from '../keys.ts';
import type { ModelDescription } from './types.ts';

/** A Redis that lost its data has the registry back after this time. */
const ANNOUNCE_INTERVAL_MS = 10_000;

/** Age at which a cached registry is read again. */
const FRESH_MS = 5_000;

/** What an announcer works with. */
export interface ModelAnnouncerDeps {
  redis: Redis;
  keys: Keys;
  log: Logger;
}

/**
 * The worker's side: keeps its model in the registry. The entry outlives the worker: a fleet without workers
 * has a model.
 */
export class ModelAnnouncer {
  readonly #deps: ModelAnnouncerDeps;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ModelAnnouncerDeps) {
    this.#deps = deps;
  }

  start(model: ModelDescription): void {
    const { redis, keys, log } = this.#deps;
    const announce = () => {
      redis
        .hset(keys.models, model.name, JSON.stringify(model))
        .catch((error) => log.debug({ reason: asError(error).message }, 'the model could not be announced'));
    };
    announce();
    this.#timer = setInterval(announce, ANNOUNCE_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The producer's side: reads the registry and caches it while Redis is unreachable. */
export class ModelRegistry {
  readonly #redis: Redis;
  readonly #key: string;
  #known: ReadonlyMap<string, ModelDescription> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#key = keys.models;
  }

  /** Cached models by name; a cache older than 5 s is refreshed in the background. */
  cached(): ReadonlyMap<string, ModelDescription> {
    // Not awaited, as models hardly ever change. A fault will be reported by `read`.
    if (performance.now() - this.#readAt > FRESH_MS) this.#refresh().catch(() => {});
    return this.#known;
  }

  /**
   * Reads the models by name; while Redis is unreachable, returns the cached ones.
   * @throws {UnavailableError} `no-workers` while no model has been announced
   * @throws a Redis fault if the registry has never been read
   */
  async read(): Promise<ReadonlyMap<string, ModelDescription>> {
    await this.#refresh();
    if (this.#known.size === 0) {
      throw new UnavailableError('no-workers', 'no worker has announced a model yet');
    }
    return this.#known;
  }

  async #refresh(): Promise<void> {
    this.#readAt = performance.now();
    try {
      const entries = Object.entries(await this.#redis.hgetall(this.#key));
      // An empty registry after a full one means that Redis lost its data; the workers write it again within
      // seconds.
      const readable = entries.flatMap(([name, json]): [string, ModelDescription][] => {
        const model = modelOf(json);
        return model === null ? [] : [[name, model]];
      });
      if (readable.length > 0) this.#known = new Map(readable);
    } catch (error) {
      if (this.#known.size === 0) throw error;
    }
  }
}

/** `null` for an entry that is not a description of a model. */
function modelOf(json: string): ModelDescription | null {
  try {
    const model = JSON.parse(json) as ModelDescription | null;
    const isModel =
      typeof model?.name === 'string' &&
      typeof model.fingerprint === 'string' &&
      Number.isSafeInteger(model.dim) &&
      Number.isSafeInteger(model.maxTokens);
    return isModel ? model : null;
  } catch {
    return null;
  }
}

/** The board in Redis where workers say which model they run, and producers read it. */

import { asError, UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Keys } from '../keys.ts';
import type { ModelDescription } from './types.ts';

/** A Redis that lost its data has the board back after this time. */
const ANNOUNCE_INTERVAL_MS = 10_000;

/** A look at the board is good for so long. */
const FRESH_MS = 5_000;

/** What an announcer works with. */
export interface ModelAnnouncerDeps {
  redis: Redis;
  keys: Keys;
  log: Logger;
}

/** Worker: keeps its model on the board. The entry outlives the worker: a fleet of none still has a model. */
export class ModelAnnouncer {
  readonly #deps: ModelAnnouncerDeps;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ModelAnnouncerDeps) {
    this.#deps = parts;
  }

  start(model: ModelDescription): void {
    const { redis, keys, log } = this.#deps;
    const announce = () => {
      redis
        .hset(keys.models, model.name, JSON.stringify(model))
        .catch((error) => log.debug({ reason: asError(error).message }, 'the model cannot be announced now'));
    };
    announce();
    this.#timer = setInterval(announce, ANNOUNCE_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Producer: reads the board; what was read once is known while Redis is away. */
export class ModelRegistry {
  readonly #redis: Redis;
  readonly #key: string;
  #known: ReadonlyMap<string, ModelDescription> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#key = keys.models;
  }

  /** Every model that is known to have been announced, by name; what is older than a few seconds is looked at again meanwhile. */
  glance(): ReadonlyMap<string, ModelDescription> {
    // Nobody waits for news: models hardly ever change. A fault is met by whoever reads.
    if (performance.now() - this.#readAt > FRESH_MS) this.#look().catch(() => {});
    return this.#known;
  }

  /**
   * The same after a look at the board; from memory while Redis is away.
   * @throws {UnavailableError} `no-workers` while none has announced a model
   * @throws a Redis fault before the first answer
   */
  async read(): Promise<ReadonlyMap<string, ModelDescription>> {
    await this.#look();
    if (this.#known.size === 0) {
      throw new UnavailableError('no-workers', 'no worker has said yet which model it runs');
    }
    return this.#known;
  }

  async #look(): Promise<void> {
    this.#readAt = performance.now();
    try {
      const entries = Object.entries(await this.#redis.hgetall(this.#key));
      // An empty board after a full one is a Redis that lost its data; the workers write it again within seconds.
      if (entries.length > 0) this.#known = new Map(entries.map(([name, json]) => [name, JSON.parse(json)]));
    } catch (error) {
      if (this.#known.size === 0) throw error;
    }
  }
}

/** The models that connected workers have; the producer refuses work for others and says what a run waits for. */

import { quote, RequestError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { readWorkers } from './read-workers.ts';

/** Age at which the models are read again. */
const FRESH_MS = 2000;

/** Reads the reports of the workers at most every two seconds. */
export class FleetModels {
  readonly #redis: Redis;
  readonly #keys: Keys;
  /** Names of the models; `undefined` before the first report of Redis. */
  #models: ReadonlySet<string> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<ReadonlySet<string> | undefined> = Promise.resolve(undefined);

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Rejects work for a model that no connected worker has. Without connected workers, or without Redis, it is accepted: it waits.
   * @throws {RequestError} `unknown-model` (facts: `models`)
   */
  async assertOffered(model: string): Promise<void> {
    const models = await this.#read();
    if (models === undefined || models.size === 0 || models.has(model)) return;
    throw unknownModel(model, [...models]);
  }

  /** What work for a model waits for, as a sentence; `null` when a worker has the model or nothing is known yet. */
  missingFor(model: string): string | null {
    // Not awaited: the next caller gets the newer state.
    this.#read().catch(() => {});
    const models = this.#models;
    if (models === undefined || models.has(model)) return null;
    return models.size === 0
      ? `it waits for a worker with the model ${quote(model)}; no worker is connected`
      : `it waits for a worker with the model ${quote(model)}; connected workers have ${listOf([...models], 'and')}`;
  }

  #read(): Promise<ReadonlySet<string> | undefined> {
    if (performance.now() - this.#readAt > FRESH_MS) {
      this.#readAt = performance.now();
      this.#reading = readWorkers(this.#redis, this.#keys)
        .then((workers) => {
          this.#models = new Set(workers.map(({ model }) => model));
          return this.#models;
        })
        .catch(() => undefined);
    }
    return this.#reading;
  }
}

/** The refusal of work for a model that no worker has. */
export function unknownModel(model: string, models: readonly string[]): RequestError {
  return new RequestError(
    'unknown-model',
    `no worker has the model ${quote(model)}; expected ${listOf(models, 'or')}`,
    {
      facts: { models },
    },
  );
}

function listOf(models: readonly string[], word: 'and' | 'or'): string {
  return models.map((name) => quote(name)).join(` ${word} `);
}

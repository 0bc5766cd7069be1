/** The models that connected workers have; the producer refuses work for others and says what a run waits for. */

import { quote, RequestError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { readWorkers } from './read-workers.ts';

/** Age at which the models are read again. */
const FRESH_MS = 2000;
/** The same before a refusal. */
const REFUSAL_FRESH_MS = 200;

/** Engine by fingerprint of the int8 model, by name of the model. */
type FleetModelMap = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The model that work needs. */
export interface WantedModel {
  model: string;
  /** Fingerprint of the int8 model; undefined if any will do, or for fp32, which workers do not report. */
  fingerprint?: string | undefined;
}

/** Reads the reports of the workers at most every two seconds. */
export class FleetModels {
  readonly #redis: Redis;
  readonly #keys: Keys;
  /** Models of the connected workers; `undefined` before the first report of Redis. */
  #models: FleetModelMap | undefined;
  /** Rate of the slowest worker of each model, in estimated tokens per second and thread. */
  #rates: ReadonlyMap<string, number> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<FleetModelMap | undefined> = Promise.resolve(undefined);

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Rejects work for a model that no connected worker has. Without connected workers, or without Redis, it is accepted: it waits.
   * @throws {RequestError} `unknown-model` (facts: `models`)
   */
  async assertOffered(model: string): Promise<void> {
    if (this.#models?.has(model)) {
      // Not awaited: a caller waits, and work for a worker that has left waits or fails by itself.
      this.#read().catch(() => {});
      return;
    }
    const known = await this.#read();
    // A worker may have joined since.
    const models = known?.has(model) === false ? await this.#read(REFUSAL_FRESH_MS) : known;
    if (models === undefined || models.size === 0 || models.has(model)) return;
    throw unknownModel(model, [...models.keys()]);
  }

  /** What work waits for, as a sentence; `null` when a worker can do it or nothing is known yet. */
  missingFor({ model, fingerprint }: WantedModel): string | null {
    // Not awaited: the next caller gets the newer state.
    this.#read().catch(() => {});
    const models = this.#models;
    if (models === undefined) return null;
    const workers = models.get(model);
    if (workers === undefined) {
      return models.size === 0
        ? `it waits for a worker with the model ${quote(model)}; no worker is connected`
        : `it waits for a worker with the model ${quote(model)}; connected workers have ${listOf([...models.keys()], 'and')}`;
    }
    if (fingerprint === undefined || workers.has(fingerprint)) return null;
    const others = Array.from(workers, ([other, engine]) => (engine === '' ? other : `${other} (${engine})`));
    return `it has vectors of the model ${quote(model)} with the fingerprint ${fingerprint} and waits for a worker with it; connected workers have ${others.join(' and ')}`;
  }

  /** Estimated tokens per second of one thread of the slowest worker with this model; `undefined` if none has reported it. */
  tokensPerSecondOf(model: string): number | undefined {
    this.#read().catch(() => {});
    return this.#rates.get(model);
  }

  #read(freshMs = FRESH_MS): Promise<FleetModelMap | undefined> {
    if (performance.now() - this.#readAt > freshMs) {
      this.#readAt = performance.now();
      this.#reading = readWorkers(this.#redis, this.#keys)
        .then((workers) => {
          const models = new Map<string, Map<string, string>>();
          const rates = new Map<string, number>();
          for (const { model, fingerprint, engine = '', tokensPerSecond } of workers) {
            if (typeof tokensPerSecond === 'number')
              rates.set(model, Math.min(tokensPerSecond, rates.get(model) ?? Number.POSITIVE_INFINITY));
            const known = models.get(model) ?? new Map<string, string>();
            models.set(model, known.set(fingerprint, engine));
          }
          this.#models = models;
          this.#rates = rates;
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
    `no worker has the model ${quote(model)}; expected ${listOf(models, 'or')}, or a worker with it (embedmill worker --model NAME --pull)`,
    {
      facts: { models },
    },
  );
}

function listOf(models: readonly string[], word: 'and' | 'or'): string {
  return models.map((name) => quote(name)).join(` ${word} `);
}

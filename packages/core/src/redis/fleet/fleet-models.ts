/**
 * The models that connected workers have or may load; the producer refuses work for others, asks workers to load models
 * and states what a run waits for.
 */

import { quote, RequestError, UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { ModelRequests } from './model-requests.ts';
import { readWorkers } from './read-workers.ts';
import type { WorkerReport } from './types.ts';

/** Age at which the models are read again. */
const FRESH_MS = 2000;
/** The same before a refusal. */
const REFUSAL_FRESH_MS = 200;

/** The model that work needs. */
export interface WantedModel {
  model: string;
  /** Fingerprint of the int8 model; undefined if any will do, or for fp32, which workers do not report. */
  fingerprint?: string | undefined;
}

/** A model that runs may use. */
export interface OfferedModel {
  name: string;
  /** Whether a connected worker has it; else one loads it when a run asks for it. */
  isLoaded: boolean;
}

/** What `FleetModels` works with. */
export interface FleetModelsDeps {
  redis: Redis;
  keys: Keys;
  /** Names of the models that are installed beside the producer. Default: none. */
  installedModels?: () => Promise<readonly string[]>;
  /** Name on the hub of such a model. Default: none. */
  sourceOf?: (model: string) => Promise<string | null>;
}

/** The fleet at one moment. */
interface Fleet {
  workers: readonly WorkerReport[];
  /** Engine by fingerprint of the int8 model, by name of the model. */
  models: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Rate of the slowest worker of each model, in estimated tokens per second and thread. */
  rates: ReadonlyMap<string, number>;
  /** Models that a worker may load, with those that it has loaded so. */
  loadable: ReadonlySet<string>;
}

/** Reads the reports of the workers at most every two seconds. */
export class FleetModels {
  readonly #deps: FleetModelsDeps;
  readonly #requests: ModelRequests;
  /** `undefined` before the first report of Redis. */
  #fleet: Fleet | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Fleet | undefined> = Promise.resolve(undefined);

  constructor(deps: FleetModelsDeps) {
    this.#deps = deps;
    this.#requests = new ModelRequests(deps);
  }

  /**
   * Rejects work for a model that no connected worker has or may load, and asks for the one that a worker may load.
   * Without connected workers, or without Redis, it is accepted: it waits.
   * @throws {RequestError} `unknown-model` (facts: `models`)
   */
  async assertOffered(model: string): Promise<void> {
    if (this.#fleet?.models.has(model)) {
      // Not awaited: a caller waits, and work for a worker that has left waits or fails by itself.
      this.#read().catch(() => {});
      return;
    }
    const known = await this.#read();
    // A worker may have joined since.
    const fleet = known?.models.has(model) === false ? await this.#read(REFUSAL_FRESH_MS) : known;
    if (fleet === undefined || fleet.workers.length === 0 || fleet.models.has(model)) return;
    if (!fleet.loadable.has(model))
      throw unknownModel(
        model,
        offeredBy(fleet).map(({ name }) => name),
      );
    await this.#request(model).catch(() => {});
  }

  /**
   * Rejects a call for a model that no connected worker has; if one may load it, it is asked to.
   * @returns whether a connected worker is known to have it
   * @throws {RequestError} `unknown-model` (facts: `models`)
   * @throws {UnavailableError} `model-loading`
   */
  async assertLoaded(model: string): Promise<boolean> {
    await this.assertOffered(model);
    const fleet = this.#fleet;
    if (fleet === undefined || fleet.workers.length === 0) return false;
    if (fleet.models.has(model)) return true;
    throw new UnavailableError(
      'model-loading',
      `the model ${quote(model)} is being loaded${describeLoads(fleet, model) ?? ''}; try again in a few seconds`,
    );
  }

  /** What work waits for, as a sentence; `null` when a worker can do it or nothing is known yet. */
  missingFor({ model, fingerprint }: WantedModel): string | null {
    // Not awaited: the next caller gets the newer state.
    this.#read().catch(() => {});
    const fleet = this.#fleet;
    if (fleet === undefined) return null;
    const { models, workers, loadable } = fleet;
    const loaded = models.get(model);
    if (loaded === undefined) {
      const waits = `it waits for a worker with the model ${quote(model)}`;
      if (workers.length === 0) return `${waits}; no worker is connected`;
      const loads = describeLoads(fleet, model);
      if (loads !== null) return `${waits}${loads}`;
      if (loadable.has(model)) return `${waits}; a connected worker will load it`;
      return `${waits}; connected workers have ${listOf([...models.keys()], 'and')}`;
    }
    if (fingerprint === undefined || loaded.has(fingerprint)) return null;
    const others = Array.from(loaded, ([other, engine]) => (engine === '' ? other : `${other} (${engine})`));
    return `it has vectors of the model ${quote(model)} with the fingerprint ${fingerprint} and waits for a worker with it; connected workers have ${others.join(' and ')}`;
  }

  /** Estimated tokens per second of one thread of the slowest worker with this model; `undefined` if none has reported it. */
  tokensPerSecondOf(model: string): number | undefined {
    this.#read().catch(() => {});
    return this.#fleet?.rates.get(model);
  }

  /** The models that runs may use; empty without connected workers or without Redis. */
  async offered(): Promise<OfferedModel[]> {
    const fleet = await this.#read();
    return fleet === undefined ? [] : offeredBy(fleet);
  }

  /** Asks workers to load the models of runs, or to keep them. @throws a Redis fault */
  async requestEach(models: Iterable<string>): Promise<void> {
    const fleet = await this.#read();
    for (const model of new Set(models)) if (fleet?.loadable.has(model)) await this.#request(model);
  }

  async #request(model: string): Promise<void> {
    await this.#requests.write({ model, source: (await this.#deps.sourceOf?.(model)) ?? null });
  }

  #read(freshMs = FRESH_MS): Promise<Fleet | undefined> {
    if (performance.now() - this.#readAt > freshMs) {
      this.#readAt = performance.now();
      const { redis, keys, installedModels } = this.#deps;
      this.#reading = Promise.all([readWorkers(redis, keys), installedModels?.() ?? []])
        .then(([workers, installed]) => {
          this.#fleet = fleetOf(workers, installed);
          return this.#fleet;
        })
        .catch(() => undefined);
    }
    return this.#reading;
  }
}

function fleetOf(workers: readonly WorkerReport[], installed: readonly string[]): Fleet {
  const models = new Map<string, Map<string, string>>();
  const rates = new Map<string, number>();
  const loadable = new Set<string>();
  for (const worker of workers) {
    const { model: name, fingerprint, engine = '', tokensPerSecond, otherModels = [] } = worker;
    for (const each of [{ name, fingerprint, engine, tokensPerSecond }, ...otherModels]) {
      if (typeof each.tokensPerSecond === 'number')
        rates.set(
          each.name,
          Math.min(each.tokensPerSecond, rates.get(each.name) ?? Number.POSITIVE_INFINITY),
        );
      const known = models.get(each.name) ?? new Map<string, string>();
      models.set(each.name, known.set(each.fingerprint, each.engine));
    }
    for (const each of worker.installedModels ?? []) loadable.add(each);
    if (worker.pullsModels === true) for (const each of installed) loadable.add(each);
  }
  return { workers, models, rates, loadable };
}

function offeredBy({ models, loadable }: Fleet): OfferedModel[] {
  const names = new Set([...models.keys(), ...loadable]);
  return Array.from(names, (name) => ({ name, isLoaded: models.has(name) }));
}

/** What workers report about loading a model, as the end of a sentence; `null` for nothing. */
function describeLoads({ workers }: Fleet, model: string): string | null {
  const loads = workers.flatMap(({ id, modelLoads = [] }) =>
    modelLoads.filter((load) => load.model === model).map((load) => ({ ...load, id })),
  );
  const loading = loads.find(({ state }) => state === 'loading');
  if (loading !== undefined) return `; the worker ${loading.id} is ${loading.reason}`;
  const reasons = [...new Set(loads.map(({ reason }) => reason))];
  const count = loads.length === 1 ? 'a worker' : `${loads.length} workers`;
  return reasons.length === 0 ? null : `; ${count} cannot load it: ${reasons.join('; ')}`;
}

/** The refusal of work for a model that no worker has or may load. */
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

/** The models that this worker serves: its own one, and those that runs have asked for. */

import type { Precision } from '@embedmill/contract';
import type { WorkerModel } from '@embedmill/core/redis';
import type { AnnouncedModel, PreparedModel, SharedTokenizer } from '@embedmill/embed';
import type { ThreadRate } from '../bulk/thread-rate.ts';

/** A model that this worker serves. */
export interface ServedModel {
  /** The int8 model. */
  readonly prepared: PreparedModel;
  readonly description: AnnouncedModel;
  /** For all threads; undefined for a tokenizer that each thread has to read. */
  readonly tokenizer: SharedTokenizer | undefined;
  /** Name of the model in the pool; undefined for the worker's own model. */
  readonly poolName: string | undefined;
  /** Prepares a precision, once. */
  readonly identityOf: (precision: Precision) => Promise<PreparedModel>;
  /** What its batches cost a thread. */
  readonly rate: ThreadRate;
}

/** Keeps when each model was last asked for. */
export class ServedModels {
  /** The model with which the worker started; it is never unloaded. */
  readonly own: ServedModel;
  readonly #others = new Map<string, { model: ServedModel; usedAtMs: number }>();
  #opening: ServedModel | undefined;

  constructor(own: ServedModel) {
    this.own = own;
  }

  /** The model with this name, which counts as used now; undefined if this worker does not serve it. */
  find(name: string): ServedModel | undefined {
    if (name === this.own.prepared.name) return this.own;
    const other = this.#others.get(name);
    if (other !== undefined) other.usedAtMs = performance.now();
    return other?.model;
  }

  /** The model that threads open under this name: also one that is not served yet, or no longer used. */
  inPool(poolName: string | undefined): ServedModel | undefined {
    if (poolName === undefined) return this.own;
    if (this.#opening?.poolName === poolName) return this.#opening;
    return this.#others.get(poolName)?.model;
  }

  /** Names of the models that threads open besides the own one. */
  get poolNames(): string[] {
    return [
      ...this.#others.keys(),
      ...(this.#opening?.poolName === undefined ? [] : [this.#opening.poolName]),
    ];
  }

  /** All models, the own one first. */
  all(): ServedModel[] {
    return [this.own, ...Array.from(this.#others.values(), ({ model }) => model)];
  }

  /** Models besides the own one that were not used for `idleMs`, the longest unused first. */
  idle(idleMs: number): ServedModel[] {
    const now = performance.now();
    return [...this.#others.values()]
      .filter(({ usedAtMs }) => now - usedAtMs >= idleMs)
      .sort((a, b) => a.usedAtMs - b.usedAtMs)
      .map(({ model }) => model);
  }

  /** Adds a model once `open` has opened it in the threads. @throws what `open` throws; the model is not added then */
  async add(model: ServedModel, open: () => Promise<void>): Promise<void> {
    this.#opening = model;
    try {
      await open();
    } finally {
      this.#opening = undefined;
    }
    this.#others.set(model.prepared.name, { model, usedAtMs: performance.now() });
  }

  remove({ prepared }: ServedModel): void {
    this.#others.delete(prepared.name);
  }
}

/** What the heartbeat reports of a model. */
export function reportOf({ prepared, rate }: ServedModel): WorkerModel {
  const { name, fingerprint, engine, kernel } = prepared;
  return {
    name,
    fingerprint,
    engine: [engine, kernel].join(' ').trim(),
    tokensPerSecond: rate.tokensPerSecond,
  };
}

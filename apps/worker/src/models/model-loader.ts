/**
 * Loads the models that runs ask for, and unloads those that are no longer used; a worker has one.
 *
 * Every two seconds it reads the requests of the producers. A requested model is `loading`: pulled if it is not installed and
 * may be pulled, prepared in a thread of its own, compared with the free memory and opened in new inference threads. Then it is
 * served until nothing has asked for it for ten minutes. Or it is `failed`, which the heartbeat reports with the reason, and
 * is tried again later. Models are loaded one at a time. The worker's own model is not touched.
 *
 * Decision: docs/decisions/0193.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError, BUILT_IN_MODEL, EmbedmillError, type Precision } from '@embedmill/contract';
import { availableMemoryBytes, type Config, settledWithin } from '@embedmill/core/process';
import type { ModelLoad, ModelRequest, ModelRequests } from '@embedmill/core/redis';
import { addedModels } from '@embedmill/embed/added-models';
import type { Logger } from 'pino';
import { ThreadRate } from '../bulk/thread-rate.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { loadInThread } from './load-in-thread.ts';
import type { LoadedModel } from './load-protocol.ts';
import { memoryNeedBytes } from './memory-need.ts';
import type { ServedModel, ServedModels } from './served-models.ts';

/** What a loader works with. */
export interface ModelLoaderDeps {
  config: Config;
  requests: Pick<ModelRequests, 'read'>;
  models: ServedModels;
  pool: Pick<InferencePool, 'serve' | 'threads'>;
  /** Takes the interactive calls of a model; returns a function that leaves them. */
  join: (model: ServedModel) => () => Promise<void>;
  metrics: Pick<WorkerMetrics, 'addModel' | 'removeModel'>;
  log: Logger;
  /** Interval of the readings. Default 2 s. */
  intervalMs?: number;
  /** Time without use after which a model is unloaded. Default 10 minutes. */
  idleMs?: number;
}

const INTERVAL_MS = 2_000;
const IDLE_MS = 10 * 60_000;

/** Delay before a failed model is tried again; it doubles with each failure. */
const RETRY_MS = 15_000;
const MAX_RETRY_MS = 10 * 60_000;

/** A model without use for this long is unloaded when another one needs its memory: requests are repeated more often. */
const UNWANTED_MS = 60_000;

/** Maximum wait for a model that is being loaded when the worker stops. */
const STOP_MS = 2_000;

/** A model that could not be loaded. */
interface Failure {
  reason: string;
  attempts: number;
  retryAtMs: number;
}

/** Loads and unloads models until it is stopped. */
export class ModelLoader {
  readonly #deps: ModelLoaderDeps;
  readonly #stopping = new AbortController();
  readonly #failures = new Map<string, Failure>();
  readonly #leave = new Map<string, () => Promise<void>>();
  #loading: ModelLoad | undefined;
  #installed: readonly string[] = [];
  /** Models of the last requests that may be loaded. */
  #wanted: readonly string[] = [];
  #loop: Promise<void> = Promise.resolve();

  constructor(deps: ModelLoaderDeps) {
    this.#deps = deps;
  }

  /** Names of the installed models that this worker would load, without its own one. */
  get installed(): readonly string[] {
    return this.#installed;
  }

  /** The models that are being loaded or could not be loaded. */
  get loads(): ModelLoad[] {
    const failed = Array.from(
      this.#failures,
      ([model, { reason }]): ModelLoad => ({ model, state: 'failed', reason }),
    ).filter(({ model }) => model !== this.#loading?.model);
    return this.#loading === undefined ? failed : [this.#loading, ...failed];
  }

  /** Whether this worker loads a model now or next, as far as it knows. */
  isComing(model: string): boolean {
    return this.#wanted.includes(model) && !this.#failures.has(model);
  }

  /** Lists the installed models and starts to read the requests. */
  async start(): Promise<void> {
    await this.#list();
    this.#loop = this.#run();
  }

  /** Leaves the lanes of the loaded models. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the worker is stopping'));
    await Promise.all([
      settledWithin([this.#loop], STOP_MS),
      ...Array.from(this.#leave.values(), (leave) => leave()),
    ]);
  }

  async #run(): Promise<void> {
    const { log, intervalMs = INTERVAL_MS } = this.#deps;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#turn().catch((error) =>
        log.debug({ reason: asError(error).message }, 'requests for models could not be read'),
      );
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #turn(): Promise<void> {
    const { requests, models, idleMs = IDLE_MS } = this.#deps;
    await this.#list();
    const wanted = await requests.read();
    this.#wanted = wanted.filter((request) => this.#mayLoad(request)).map(({ model }) => model);
    for (const model of this.#failures.keys())
      if (wanted.every((request) => request.model !== model)) this.#failures.delete(model);
    // Finding a model counts as its use.
    const missing = wanted.filter(({ model }) => models.find(model) === undefined);
    for (const request of missing) {
      const { retryAtMs = 0 } = this.#failures.get(request.model) ?? {};
      if (this.#mayLoad(request) && performance.now() >= retryAtMs) await this.#load(request);
    }
    for (const model of models.idle(idleMs)) await this.#unload(model);
  }

  async #list(): Promise<void> {
    const { config, models } = this.#deps;
    const names = [BUILT_IN_MODEL, ...(await addedModels(config.cacheDir))];
    this.#installed = names.filter((name) => name !== models.own.prepared.name);
  }

  #mayLoad({ model, source }: ModelRequest): boolean {
    return this.#installed.includes(model) || (this.#deps.config.pull === 'always' && source !== null);
  }

  async #load({ model, source }: ModelRequest): Promise<void> {
    const { config, log } = this.#deps;
    this.#loading = { model, state: 'loading', reason: 'loading it' };
    const startedAt = performance.now();
    log.info({ model, source }, 'a run asks for another model; loading it');
    try {
      const load = (precision: Precision) =>
        loadInThread(
          {
            settings: settingsOf(config),
            model,
            precision,
            source: config.pull === 'always' ? source : null,
          },
          {
            onProgress: (doing) => {
              this.#loading = { model, state: 'loading', reason: doing };
            },
            signal: this.#stopping.signal,
          },
        );
      const loaded = await load('int8');
      await this.#makeRoom(loaded);
      this.#loading = { model, state: 'loading', reason: 'opening it' };
      await this.#serve(loaded, async (precision) =>
        precision === 'int8' ? loaded.prepared : (await load(precision)).prepared,
      );
      this.#failures.delete(model);
      const seconds = Math.round(performance.now() - startedAt) / 1000;
      log.info({ model, fingerprint: loaded.prepared.fingerprint, seconds }, 'the model is served');
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#fail(model, asError(error));
    } finally {
      this.#loading = undefined;
    }
  }

  #fail(model: string, error: Error): void {
    const attempts = (this.#failures.get(model)?.attempts ?? 0) + 1;
    // Another worker is pulling it into the same folder.
    const isBusy = error instanceof EmbedmillError && error.code === 'pull-busy';
    const delayMs = isBusy ? 0 : Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (attempts - 1));
    this.#failures.set(model, { reason: error.message, attempts, retryAtMs: performance.now() + delayMs });
    this.#deps.log[isBusy ? 'debug' : 'warn'](
      { model, reason: error.message, retryMs: delayMs },
      'the model cannot be loaded',
    );
  }

  /** Unloads unused models until the memory suffices. @throws if it does not */
  async #makeRoom(loaded: LoadedModel): Promise<void> {
    const { pool, models } = this.#deps;
    const need = await memoryNeedBytes(loaded, pool.threads);
    for (const unused of models.idle(UNWANTED_MS)) {
      if (availableMemoryBytes() >= need) return;
      await this.#unload(unused);
    }
    const free = availableMemoryBytes();
    if (free >= need) return;
    throw new EmbedmillError(
      'too-little-memory',
      `it needs about ${megabytes(need)} MB of memory, and ${megabytes(free)} MB are free; use fewer threads or more memory`,
    );
  }

  async #serve(loaded: LoadedModel, identityOf: ServedModel['identityOf']): Promise<void> {
    const { models, metrics, join } = this.#deps;
    const { name } = loaded.prepared;
    const identities = new Map<Precision, ReturnType<typeof identityOf>>();
    const model: ServedModel = {
      ...loaded,
      poolName: name,
      rate: new ThreadRate(),
      identityOf: (precision) => {
        const known = identities.get(precision) ?? identityOf(precision);
        identities.set(precision, known);
        known.catch(() => identities.delete(precision));
        return known;
      },
    };
    await models.add(model, () => this.#open());
    // A lane that is joined after `stop` would never be left.
    this.#stopping.signal.throwIfAborted();
    metrics.addModel(model.prepared);
    this.#leave.set(name, join(model));
  }

  async #unload(model: ServedModel): Promise<void> {
    const { models, metrics, log } = this.#deps;
    const { name } = model.prepared;
    await this.#leave.get(name)?.();
    this.#leave.delete(name);
    models.remove(model);
    metrics.removeModel(model.prepared);
    await this.#open();
    log.info({ model: name }, 'the model is unloaded: nothing has asked for it');
  }

  async #open(): Promise<void> {
    const { models, pool } = this.#deps;
    await pool.serve(models.poolNames);
  }
}

function settingsOf({
  cacheDir,
  engine,
  kernel,
  hubEndpoint,
  hubToken,
  isHubOffline,
  hubHome,
  hubCache,
}: Config): Parameters<typeof loadInThread>[0]['settings'] {
  return { cacheDir, engine, kernel, hubEndpoint, hubToken, isHubOffline, hubHome, hubCache };
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1_000_000).toLocaleString('en-US');

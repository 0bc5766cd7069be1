/** Processes one batch: takes its payload, embeds it and commits the result; called by the queue consumer. */

import {
  asError,
  type BatchSummary,
  EmbedmillError,
  type Precision,
  type RowOutcome,
  summarizeOutcomes,
  UNTREATED,
} from '@embedmill/contract';
import {
  computedWith,
  digestPayload,
  encodeBatchResult,
  peekBatchResult,
  readBatchPayload,
  summarizeResult,
  withResultDigest,
} from '@embedmill/core/batch';
import { isRedisFault, throttled } from '@embedmill/core/process';
import type {
  BatchJob,
  ConsumeOutcome,
  Delivery,
  FleetModels,
  TakenPayload,
  VectorCache,
  WantedModel,
  WorkerExchange,
} from '@embedmill/core/redis';
import type { OpenSpan, Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import type { Glossaries } from '../glossaries.ts';
import { batchDelay } from '../hand-back.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { ServedModel, ServedModels } from '../models/served-models.ts';
import { addThreadStep } from '../thread-step.ts';
import { embedThroughCache } from './cached-rows.ts';
import { probeRows, SUSPECT_AFTER_STALLS } from './probe.ts';
import { retryUntil } from './retry-until.ts';
import { SharedExclusiveLock } from './shared-exclusive-lock.ts';

/** Dependencies of `BatchWork`. */
export interface BatchWorkDeps {
  exchange: WorkerExchange;
  pool: InferencePool;
  /** Models of this worker; a batch for another one goes back to the queue. */
  models: Pick<ServedModels, 'own' | 'find'>;
  /** Whether this worker will soon have a model. */
  isComing: (model: string) => boolean;
  /** Id of this worker process. */
  worker: string;
  glossaries: Glossaries;
  /** Models of the connected workers. */
  fleet: Pick<FleetModels, 'missingFor'>;
  /** Vector cache that runs and workers share; `null` if every text is computed. */
  cache: VectorCache | null;
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/** Minimum time between two log lines about batches for other workers. */
const WARN_INTERVAL_MS = 10_000;

/** Delay before a batch whose glossary is missing is delivered again. */
const GLOSSARY_DELAY_MS = 2_000;

/** Embeds and commits batches; see `Run` for the states of a batch. */
export class BatchWork {
  readonly #deps: BatchWorkDeps;
  readonly #stopping = new AbortController();
  readonly #lock = new SharedExclusiveLock();
  /** Fingerprints of models, by precision. */
  readonly #fingerprints = new WeakMap<ServedModel, Map<Precision, string>>();

  /** There may be thousands of such batches. */
  readonly #warnOfOtherModel: (facts: object, message: string) => void;

  constructor(deps: BatchWorkDeps) {
    this.#deps = deps;
    this.#warnOfOtherModel = throttled(WARN_INTERVAL_MS, (facts, message) => deps.log.warn(facts, message));
  }

  /**
   * Embeds a batch and commits it. During an outage of Redis the vectors stay in memory and the step is
   * retried, so that an outage costs no attempt; only internal errors are thrown.
   */
  async consume(job: BatchJob, delivery: Delivery): Promise<ConsumeOutcome> {
    const { models, metrics, log } = this.#deps;
    const { run, batch } = job;
    metrics.countDelivery(delivery);
    if (typeof run !== 'string' || !Number.isSafeInteger(batch) || typeof job.home !== 'string') {
      metrics.countOutcome('lost');
      log.error({ run, batch }, 'a job without its content is dropped; its producer sends it again');
      return { status: 'done' };
    }
    const model = models.find(job.model);
    if (model === undefined) return this.#handBack(job, delivery, { model: job.model });
    const taken = await this.#stage('fetch', job, () => this.#retryUntil(() => this.#take(job, model)));
    if (taken.status === 'other-model') {
      // Workers report the fingerprint of their int8 model only.
      const fingerprint = job.precision === 'int8' ? taken.fingerprint : undefined;
      return this.#handBack(job, delivery, { model: job.model, fingerprint });
    }
    if (taken.status !== 'taken') {
      metrics.countOutcome(taken.status);
      return { status: 'done' };
    }
    const { payload } = taken;
    let result: Uint8Array<ArrayBuffer> | null;
    try {
      const isSuspect = delivery.stalls >= SUSPECT_AFTER_STALLS;
      result = isSuspect
        ? await this.#lock.alone(() => this.#probeRows(job, model, payload))
        : await this.#lock.together(() => this.#embed(job, model, payload));
    } catch (error) {
      if (!isRedisFault(error) && !(error instanceof EmbedmillError && error.retryable)) throw error;
      metrics.countOutcome('handed-back');
      log.info({ run, batch, reason: asError(error).message }, 'batch returned to the queue');
      // A replaced thread is available at once; a lost glossary returns when its producer next checks the
      // run.
      const isThread = error instanceof EmbedmillError && error.code !== 'no-glossary';
      return { status: 'hand-back', afterMs: isThread ? 0 : GLOSSARY_DELAY_MS };
    }
    if (result === null) await this.abandon(job, 'it crashes workers, but none of its rows does so alone');
    else await this.#commit(job, result, summarizeResult(result));
    return { status: 'done' };
  }

  /** Returns a batch to the queue, for a worker that has the wanted model. */
  #handBack({ run, batch }: BatchJob, { starts }: Delivery, wanted: WantedModel): ConsumeOutcome {
    const { fleet, models, isComing, metrics, log } = this.#deps;
    const missing = fleet.missingFor(wanted);
    metrics.countOutcome('handed-back');
    const facts = { run, batch, wanted, have: models.own.prepared.name };
    const isSoon = missing === null || isComing(wanted.model);
    if (isSoon) log.debug(facts, 'batch returned to the queue for another worker');
    else
      this.#warnOfOtherModel(
        { ...facts, missing },
        'batches are returned to the queue: no connected worker can do them',
      );
    return { status: 'hand-back', afterMs: batchDelay(starts, isSoon) };
  }

  /**
   * Takes a payload. A damaged one is deleted and counts as lost, because the producer has its rows on disk.
   */
  async #take(job: BatchJob, model: ServedModel): Promise<TakenPayload> {
    const { exchange, log } = this.#deps;
    const { run, batch, home: dataDirId } = job;
    const identity = computedWith(await this.#fingerprintOf(model, job.precision));
    const taken = await exchange.takePayload(run, batch, dataDirId, identity);
    if (taken.status === 'other-model') {
      // Since the request was sent, a first result may have shown that the engine states another identity than the model.
      const isChanged = computedWith(await this.#fingerprintOf(model, job.precision)) !== identity;
      return isChanged ? await this.#take(job, model) : taken;
    }
    if (taken.status !== 'taken') return taken;
    try {
      readBatchPayload(taken.payload);
      if (job.payloadDigest === undefined || digestPayload(taken.payload) === job.payloadDigest) return taken;
      log.error({ run, batch }, 'a payload is not that of its job; it is requested again');
    } catch (error) {
      log.error(
        { run, batch, reason: asError(error).message },
        'payload is damaged; deleted, so that the producer sends it again',
      );
    }
    await exchange.dropPayload(run, batch);
    return this.#take(job, model);
  }

  async #embed(
    job: BatchJob,
    model: ServedModel,
    payload: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { cache, metrics, log } = this.#deps;
    if (cache === null) return await this.#compute(job, model, payload);
    const { run, batch, truncate, treatment } = job;
    return await embedThroughCache(payload, {
      cache,
      terms: { model: await this.#fingerprintOf(model, job.precision), truncate, treatment },
      embed: (missing) => this.#compute(job, model, missing),
      onServed: (rows) => metrics.countRepeats('cache', rows),
      onFault: (error) =>
        log.warn(
          { run, batch, reason: asError(error).message },
          'vector cache unavailable, continuing without it',
        ),
    });
  }

  /** Fingerprint of a model in a precision; read once, because preparing a model reads its file. */
  async #fingerprintOf(model: ServedModel, precision: Precision): Promise<string> {
    const known = this.#knownFingerprints(model).get(precision);
    if (known !== undefined) return known;
    const { fingerprint } = await model.identityOf(precision);
    this.#knownFingerprints(model).set(precision, fingerprint);
    return fingerprint;
  }

  #knownFingerprints(model: ServedModel): Map<Precision, string> {
    const known = this.#fingerprints.get(model) ?? new Map<Precision, string>();
    this.#fingerprints.set(model, known);
    return known;
  }

  async #compute(
    job: BatchJob,
    model: ServedModel,
    payload: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { pool, glossaries, metrics } = this.#deps;
    const { batch, precision, truncate } = job;
    const treatment = await glossaries.resolve(job.treatment ?? UNTREATED);
    let tokenizeMs = 0;
    let threadMs = 0;
    let repeats = 0;
    const result = await this.#stage('infer', job, (span) =>
      pool.embedBatch({
        payload,
        run: job.run,
        batch,
        model: model.poolName,
        precision,
        truncate,
        treatment,
        onPiece: (timings) => {
          tokenizeMs += timings.tokenizeMs;
          threadMs += timings.endedAtMs - timings.startedAtMs;
          repeats += timings.repeats;
          metrics.countRepeats('thread', timings.repeats);
          addThreadStep(span, timings);
        },
      }),
    );
    const { fingerprint, rows } = peekBatchResult(result, { verify: false });
    // Another engine than ours may state another one than the model's.
    this.#knownFingerprints(model).set(precision, fingerprint);
    metrics.countTokenizing(tokenizeMs);
    // The tokens of a part of a batch are not known.
    if (rows === job.rows && repeats < rows)
      model.rate.add(job.tokens * (1 - repeats / rows), threadMs / 1000);
    return result;
  }

  async #probeRows(
    job: BatchJob,
    model: ServedModel,
    payload: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const { exchange, pool, worker, glossaries, log } = this.#deps;
    const { run, batch } = job;
    log.warn({ run, batch }, 'batch crashed workers; its rows are probed one by one');
    return await probeRows(job, payload, {
      exchange,
      pool: { embedBatch: (options) => pool.embedBatch({ ...options, model: model.poolName }) },
      worker,
      identity: await model.identityOf(job.precision),
      treatment: await glossaries.resolve(job.treatment ?? UNTREATED),
      retryUntil: (step) => this.#retryUntil(step),
      onPoisonRow: (row) =>
        log.error({ run, batch, row }, 'row crashes worker processes; it gets the verdict failed'),
    });
  }

  /**
   * Commits the verdict `failed` for every row of a batch that cannot be embedded, so that its run can end.
   */
  async abandon(job: BatchJob, reason: string): Promise<void> {
    const { models, metrics, log } = this.#deps;
    const { run, batch, rows, precision } = job;
    const model = models.find(job.model);
    if (model === undefined) {
      // Only a worker with the model can state its fingerprint; the producer sends the batch again.
      metrics.countOutcome('lost');
      log.error({ run, batch, reason }, 'a batch for another model is dropped; its producer sends it again');
      return;
    }
    metrics.countOutcome('abandoned');
    log.error({ run, batch, reason }, 'batch cannot be embedded; its rows get the verdict failed');
    const message = `the batch could not be embedded: ${reason}`;
    const outcomes = Array.from(
      { length: rows },
      (): RowOutcome => ({ verdict: 'failed', tokens: 0, lostTokens: 0, message }),
    );
    const { fingerprint, dim } = await model.identityOf(precision);
    const result = encodeBatchResult({
      batch,
      rows,
      dim,
      precision,
      fingerprint,
      vectors: new Float32Array(rows * dim),
      outcomes,
    });
    await this.#commit(job, result, summarizeOutcomes(outcomes));
  }

  /** Stops retrying while Redis is unreachable; the batches concerned go to other workers. */
  stop(): void {
    this.#stopping.abort(new Error('the worker is stopping'));
  }

  async #commit(job: BatchJob, result: Uint8Array, summary: BatchSummary): Promise<void> {
    const { exchange, metrics, log } = this.#deps;
    const { run, batch, rows } = job;
    const stated = job.digest === undefined ? result : withResultDigest(result, job.digest);
    const outcome = await this.#stage('commit', job, () =>
      this.#retryUntil(() => exchange.commit(job.run, job.batch, job.home, stated, summary)),
    );
    metrics.countBatch(outcome, summary, job.model);
    log.debug({ run, batch, rows, outcome }, 'batch finished');
  }

  /** Runs a step and records it in the stage histogram and in the trace of its batch. */
  #stage<Value>(
    name: 'fetch' | 'infer' | 'commit',
    { run, batch, rows }: BatchJob,
    step: (span: OpenSpan) => Promise<Value>,
  ): Promise<Value> {
    const { metrics, tracing } = this.#deps;
    const attributes = { 'embedmill.run': run, 'embedmill.batch': batch, 'embedmill.rows': rows };
    return metrics.time(name, () => tracing.span(name, attributes, step));
  }

  #retryUntil<Value>(step: () => Promise<Value>): Promise<Value> {
    const { log } = this.#deps;
    return retryUntil(step, {
      isTemporary: isRedisFault,
      signal: this.#stopping.signal,
      onWait: (error) =>
        log.warn(
          { reason: asError(error).message },
          'Redis is unavailable; results stay in memory and the step is retried',
        ),
    });
  }
}

/** What a worker does with one batch: open, embed, commit; called by the queue consumer. */

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
  decodeOutcomes,
  encodeBatchResult,
  peekBatchResult,
  readBatchPayload,
} from '@embedmill/core/batch';
import { isRedisFault } from '@embedmill/core/process';
import type {
  BatchJob,
  ConsumeOutcome,
  Delivery,
  TakenPayload,
  VectorCache,
  WorkerExchange,
} from '@embedmill/core/redis';
import type { OpenSpan, Tracing } from '@embedmill/core/telemetry';
import type { PreparedModel } from '@embedmill/embed';
import type { Logger } from 'pino';
import type { Glossaries } from '../glossaries.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { addThreadStep } from '../thread-step.ts';
import { embedThroughCache } from './cached-rows.ts';
import { SUSPECT_AFTER_STALLS, tryRows } from './probe.ts';
import { retryUntil } from './retry-until.ts';
import { SharedExclusiveLock } from './shared-exclusive-lock.ts';

/** What the work needs. */
export interface BatchWorkDeps {
  exchange: WorkerExchange;
  pool: InferencePool;
  /** The model of this worker; a batch for another one is handed back. */
  model: PreparedModel;
  /** Id of this worker process. */
  worker: string;
  /** What treatments need besides themselves. */
  glossaries: Glossaries;
  /** What results of a precision say of the model. */
  identityOf: (precision: Precision) => Promise<{ dim: number; fingerprint: string }>;
  /** Vectors over runs and workers; `null`: every text is computed. */
  cache: VectorCache | null;
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/** Time until a batch is offered again that only another worker can do; it doubles each time, so that many of them slow nobody. */
const HAND_BACK_MS = 2000;
const MAX_HAND_BACK_MS = 60_000;

function pauseAfter({ starts }: Delivery): number {
  return Math.min(HAND_BACK_MS * 2 ** Math.max(0, starts - 1), MAX_HAND_BACK_MS);
}

/** @see Run for the states of a batch */
export class BatchWork {
  readonly #deps: BatchWorkDeps;
  readonly #stopping = new AbortController();
  readonly #lock = new SharedExclusiveLock();
  readonly #fingerprints = new Map<Precision, string>();
  /** Fingerprints in this worker's results: another engine than ours may state another one than the model's. */
  readonly #stated = new Map<Precision, string>();

  constructor(parts: BatchWorkDeps) {
    this.#deps = parts;
  }

  /**
   * Embeds a batch and commits it. Faults of Redis are waited out with the vectors in memory, so that they cost no
   * attempt; only an error of our own is thrown.
   */
  async consume(job: BatchJob, delivery: Delivery): Promise<ConsumeOutcome> {
    const { model, metrics, log } = this.#deps;
    const { run, batch } = job;
    metrics.countDelivery(delivery);
    if (typeof run !== 'string' || !Number.isSafeInteger(batch) || typeof job.home !== 'string') {
      metrics.countOutcome('lost');
      log.error({ run, batch }, 'a job without its content is dropped; its producer sends it again');
      return { status: 'done' };
    }
    if (job.model !== model.name) {
      metrics.countOutcome('handed-back');
      log.warn(
        { run, batch, asked: job.model, have: model.name },
        'a batch is for another model; it is handed back',
      );
      return { status: 'hand-back', afterMs: pauseAfter(delivery) };
    }
    const taken = await this.#stage('fetch', job, () => this.#retryUntil(() => this.#take(job)));
    if (taken.status === 'other-model') {
      metrics.countOutcome('handed-back');
      log.warn({ run, batch }, 'the run has vectors of another build of its model; a batch is handed back');
      return { status: 'hand-back', afterMs: pauseAfter(delivery) };
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
        ? await this.#lock.alone(() => this.#tryRows(job, payload))
        : await this.#lock.together(() => this.#embed(job, payload));
    } catch (error) {
      if (!isRedisFault(error) && !(error instanceof EmbedmillError && error.retryable)) throw error;
      metrics.countOutcome('handed-back');
      log.info({ run, batch, reason: asError(error).message }, 'a batch is handed back');
      // A thread that is needed again is there at once; a glossary that is lost comes when its producer looks after the run.
      const isThread = error instanceof EmbedmillError && error.code !== 'no-glossary';
      return { status: 'hand-back', afterMs: isThread ? 0 : HAND_BACK_MS };
    }
    if (result === null) await this.abandon(job, 'workers die of it, and of none of its rows alone');
    else await this.#commit(job, result, summarizeOutcomes(decodeOutcomes(result)));
    return { status: 'done' };
  }

  /** A payload that was damaged in Redis is as good as lost: the producer has its rows on disk. */
  async #take(job: BatchJob): Promise<TakenPayload> {
    const { exchange, log } = this.#deps;
    const { run, batch, home: dataDirId } = job;
    const identity = computedWith(await this.#fingerprintOf(job.precision));
    const taken = await exchange.takePayload(run, batch, dataDirId, identity);
    if (taken.status !== 'taken') return taken;
    try {
      readBatchPayload(taken.payload);
      return taken;
    } catch (error) {
      log.error(
        { run, batch, reason: asError(error).message },
        'a payload is damaged; it is asked for again',
      );
    }
    await exchange.dropPayload(run, batch);
    return this.#take(job);
  }

  async #embed(job: BatchJob, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { cache, metrics, log } = this.#deps;
    if (cache === null) return await this.#compute(job, payload);
    const { run, batch, truncate, treatment } = job;
    return await embedThroughCache(payload, {
      cache,
      terms: { model: await this.#fingerprintOf(job.precision), truncate, treatment },
      embed: (missing) => this.#compute(job, missing),
      onServed: (rows) => metrics.countRepeats('cache', rows),
      onFault: (error) =>
        log.warn({ run, batch, reason: asError(error).message }, 'the cache of vectors is of no use now'),
    });
  }

  /** Of the model of a precision; looked up once, because preparing a model reads its file. */
  async #fingerprintOf(precision: Precision): Promise<string> {
    const known = this.#stated.get(precision) ?? this.#fingerprints.get(precision);
    if (known !== undefined) return known;
    const { fingerprint } = await this.#deps.identityOf(precision);
    this.#fingerprints.set(precision, fingerprint);
    return fingerprint;
  }

  async #compute(job: BatchJob, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { pool, glossaries, metrics } = this.#deps;
    const { batch, precision, truncate } = job;
    const treatment = await glossaries.resolve(job.treatment ?? UNTREATED);
    let tokenizeMs = 0;
    const result = await this.#stage('infer', job, (span) =>
      pool.embedBatch({
        payload,
        run: job.run,
        batch,
        precision,
        truncate,
        treatment,
        onPiece: (timings) => {
          tokenizeMs += timings.tokenizeMs;
          metrics.countRepeats('thread', timings.repeats);
          addThreadStep(span, timings);
        },
      }),
    );
    this.#stated.set(precision, peekBatchResult(result, { verify: false }).fingerprint);
    metrics.countTokenizing(tokenizeMs);
    return result;
  }

  async #tryRows(job: BatchJob, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
    const { exchange, pool, worker, glossaries, log, identityOf } = this.#deps;
    const { run, batch } = job;
    log.warn({ run, batch }, 'workers ended over a batch; its rows are tried one by one');
    return await tryRows(job, payload, {
      exchange,
      pool,
      worker,
      identity: await identityOf(job.precision),
      treatment: await glossaries.resolve(job.treatment ?? UNTREATED),
      retryUntil: (step) => this.#retryUntil(step),
      onGuilty: (row) =>
        log.error({ run, batch, row }, 'a row ends worker processes; it gets the verdict failed'),
    });
  }

  /** Gives every row of a batch that cannot be done the verdict `failed`, so that its run can end. */
  async abandon(job: BatchJob, reason: string): Promise<void> {
    const { identityOf, metrics, log } = this.#deps;
    const { run, batch, rows, precision } = job;
    metrics.countOutcome('abandoned');
    log.error({ run, batch, reason }, 'a batch cannot be done; its rows get the verdict failed');
    const message = `the batch could not be done: ${reason}`;
    const outcomes = Array.from(
      { length: rows },
      (): RowOutcome => ({ verdict: 'failed', tokens: 0, lostTokens: 0, message }),
    );
    const { fingerprint, dim } = await identityOf(precision);
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

  /** Ends the waiting for a Redis that is away; what waits is given up and done by another worker. */
  stop(): void {
    this.#stopping.abort(new Error('the worker stops'));
  }

  async #commit(job: BatchJob, result: Uint8Array, summary: BatchSummary): Promise<void> {
    const { exchange, metrics, log } = this.#deps;
    const { run, batch, rows } = job;
    const outcome = await this.#stage('commit', job, () =>
      this.#retryUntil(() => exchange.commit(job.run, job.batch, job.home, result, summary)),
    );
    metrics.countBatch(outcome, summary);
    log.debug({ run, batch, rows, outcome }, 'a batch is done');
  }

  /** A step in the histogram and in the trace of its batch. */
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
      isPassing: isRedisFault,
      signal: this.#stopping.signal,
      onWait: (error) =>
        log.warn(
          { reason: asError(error).message },
          'Redis does not take results; they are kept and offered again',
        ),
    });
  }
}

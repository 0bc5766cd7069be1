/** Prometheus metrics of a worker; `worker.ts` creates them, the work of both lanes updates them. */

import { type BatchSummary, type Lane, ROW_VERDICTS } from '@embedmill/contract';
import type { CommitOutcome, Delivery, PartTimings } from '@embedmill/core/redis';
import {
  Counter,
  Gauge,
  Histogram,
  LATENCY_BUCKETS_SECONDS,
  readGauge,
  registerCpuMetrics,
  registerProcessMetrics,
  STAGE_BUCKETS_SECONDS,
} from '@embedmill/core/telemetry';
import type { PreparedModel } from '@embedmill/embed';
import { Registry } from 'prom-client';
import type { InferenceEvent, InferencePool } from './inference/index.ts';

/** Values of the label `lane`. */
const LANES: readonly Lane[] = ['bulk', 'interactive'];

/** Why an interactive text is no longer needed: its caller withdrew, or its deadline passed. */
const UNANSWERED = ['withdrawn', 'expired'] as const;

/** Outcomes of the delivery of a batch. */
const OUTCOMES = ['committed', 'duplicate', 'gone', 'lost', 'handed-back', 'abandoned'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Where the vector of a repeated text came from. */
const REPEAT_SOURCES = ['thread', 'cache'] as const;

/** Stages of a batch in a worker; the producer adds `drain`. */
const STAGES = ['queue-wait', 'fetch', 'tokenize', 'infer', 'commit'] as const;

/** What the metrics state of a model. */
type MetricModel = Pick<PreparedModel, 'name' | 'fingerprint' | 'engine' | 'kernel'>;

/**
 * All series start at zero when the worker starts, so that rates work from the first scrape. No label holds a
 * run id.
 */
export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #texts: Counter<'lane' | 'verdict'>;
  readonly #tokens: Counter<'lane'>;
  readonly #lostTokens: Counter<'lane'>;
  readonly #textTokens: Counter<'lane' | 'model'>;
  readonly #unknownTokens: Counter<'lane' | 'model'>;
  readonly #batches: Counter<'outcome'>;
  readonly #stalled: Counter;
  readonly #retried: Counter;
  readonly #duplicates: Counter;
  readonly #lostLocks: Counter;
  readonly #threadDeaths: Counter;
  readonly #isolatedRows: Counter;
  readonly #repeats: Counter<'source'>;
  readonly #stageSeconds: Histogram<'stage'>;
  readonly #interactiveSeconds: Histogram<'stage'>;
  readonly #unanswered: Counter<'reason'>;
  readonly #models: Gauge<'model' | 'fingerprint' | 'engine' | 'kernel'>;

  constructor() {
    const registers = [this.#registry];
    const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter<Label>({ name: `embedmill_${name}`, help, labelNames, registers });
    this.#texts = counter('texts_total', 'Texts with a verdict.', 'lane', 'verdict');
    this.#tokens = counter('tokens_total', 'Tokens processed by the model.', 'lane');
    this.#lostTokens = counter('lost_tokens_total', 'Tokens cut off by truncation.', 'lane');
    this.#textTokens = counter(
      'text_tokens_total',
      'Tokens processed by the model, without the special tokens around texts.',
      'lane',
      'model',
    );
    this.#unknownTokens = counter(
      'unknown_tokens_total',
      'Tokens that the vocabulary of the model does not know; compare with embedmill_text_tokens_total.',
      'lane',
      'model',
    );
    this.#batches = counter('batches_total', 'Deliveries of batches by outcome.', 'outcome');
    this.#stalled = counter('stalled_batches_total', 'Batches taken over from an unresponsive worker.');
    this.#retried = counter('retried_batches_total', 'Deliveries of batches that had failed before.');
    this.#duplicates = counter(
      'duplicate_batches_total',
      'Deliveries of batches that another delivery had already committed; they have no effect.',
    );
    this.#lostLocks = counter(
      'lock_renewal_failures_total',
      'Batches whose lock could not be renewed in time.',
    );
    this.#threadDeaths = counter('thread_deaths_total', 'Inference threads that died unexpectedly.');
    this.#isolatedRows = counter(
      'isolated_rows_total',
      'Rows with the verdict failed because they crash inference threads.',
    );
    this.#repeats = counter(
      'repeated_texts_total',
      'Texts and chunks of long texts whose vectors came from thread memory or from the cache in Redis.',
      'source',
    );
    this.#stageSeconds = new Histogram({
      name: 'embedmill_stage_seconds',
      help: 'Time per batch in each stage.',
      labelNames: ['stage'],
      buckets: [...STAGE_BUCKETS_SECONDS],
      registers,
    });
    this.#interactiveSeconds = new Histogram({
      name: 'embedmill_interactive_stage_seconds',
      help: 'Time per interactive part in each stage.',
      labelNames: ['stage'],
      buckets: [...LATENCY_BUCKETS_SECONDS],
      registers,
    });
    this.#unanswered = counter(
      'interactive_unanswered_texts_total',
      'Interactive texts dropped because their caller withdrew or their deadline passed.',
      'reason',
    );
    this.#models = new Gauge({
      name: 'embedmill_model_info',
      help: 'The models of this worker, their engines and the kernel of the exact engine; always 1.',
      labelNames: ['model', 'fingerprint', 'engine', 'kernel'],
      registers,
    });
    registerCpuMetrics(this.#registry);
    registerProcessMetrics(this.#registry);
    for (const lane of LANES) {
      for (const verdict of ROW_VERDICTS) this.#texts.inc({ lane, verdict }, 0);
      for (const sum of [this.#tokens, this.#lostTokens]) sum.inc({ lane }, 0);
    }
    for (const source of REPEAT_SOURCES) this.#repeats.inc({ source }, 0);
    for (const outcome of OUTCOMES) this.#batches.inc({ outcome }, 0);
    for (const stage of STAGES) this.#stageSeconds.zero({ stage });
    for (const stage of ['queue-wait', 'infer']) this.#interactiveSeconds.zero({ stage });
    for (const reason of UNANSWERED) this.#unanswered.inc({ reason }, 0);
  }

  /** Adds the gauges of a pool. */
  watch(pool: InferencePool): void {
    const gauge = (name: string, help: string, read: () => number) =>
      readGauge(this.#registry, { name: `embedmill_${name}`, help }, read);
    gauge('threads', 'Configured inference threads.', () => pool.threads);
    gauge('threads_ready', 'Inference threads that accept work.', () => pool.readyThreads);
    gauge('threads_busy', 'Inference threads that have work.', () => pool.busyThreads);
    gauge(
      'waiting_batches',
      'Batches that this worker has fetched and not begun.',
      () => pool.waitingBatches,
    );
  }

  /** Adds the series of a model that this worker serves from now on. */
  addModel(model: MetricModel): void {
    this.#models.set(infoOf(model), 1);
    for (const lane of LANES) {
      for (const sum of [this.#textTokens, this.#unknownTokens]) sum.inc({ lane, model: model.name }, 0);
    }
  }

  /** Removes the info of a model that this worker no longer serves; its counters stay. */
  removeModel(model: MetricModel): void {
    this.#models.remove(infoOf(model));
  }

  /** Adds the id of the worker, which Prometheus knows only by its address. */
  name(worker: string): void {
    new Gauge({
      name: 'embedmill_worker_info',
      help: 'The id of this worker, as the pages and `embedmill status` show it; always 1.',
      labelNames: ['worker'],
      registers: [this.#registry],
    }).set({ worker }, 1);
  }

  /** Counts a delivery on arrival. */
  countDelivery({ stalls, attempt, waitedMs }: Delivery): void {
    if (stalls > 0) this.#stalled.inc();
    if (attempt > 1) this.#retried.inc();
    this.#stageSeconds.observe({ stage: 'queue-wait' }, waitedMs / 1000);
  }

  /** Measures the duration of a step, even of one that fails. */
  async time<Value>(
    stage: Exclude<(typeof STAGES)[number], 'queue-wait' | 'tokenize'>,
    step: () => Promise<Value>,
  ): Promise<Value> {
    const stop = this.#stageSeconds.startTimer({ stage });
    try {
      return await step();
    } finally {
      stop();
    }
  }

  /** Records the milliseconds that the tokenizer took within the inference of a batch. */
  countTokenizing(ms: number): void {
    this.#stageSeconds.observe({ stage: 'tokenize' }, ms / 1000);
  }

  /** Counts texts whose vectors were not computed again. */
  countRepeats(source: (typeof REPEAT_SOURCES)[number], texts: number): void {
    this.#repeats.inc({ source }, texts);
  }

  /** Counts a delivery that led to no commit. */
  countOutcome(outcome: Exclude<Outcome, 'committed'>): void {
    this.#countBatch(outcome);
  }

  /** Counts a batch after its commit; only the first commit of a batch counts its texts. */
  countBatch(outcome: CommitOutcome, summary: BatchSummary, model: string): void {
    this.#countBatch(outcome);
    if (outcome !== 'committed') return;
    this.#countTexts('bulk', summary, model);
  }

  /** Counts answered interactive texts, and records their time in the queue and in inference. */
  countInteractive({ queueMs, inferMs }: PartTimings, summary: BatchSummary, model: string): void {
    this.#countTexts('interactive', summary, model);
    this.#interactiveSeconds.observe({ stage: 'queue-wait' }, queueMs / 1000);
    this.#interactiveSeconds.observe({ stage: 'infer' }, inferMs / 1000);
  }

  /** Counts interactive texts that are no longer needed. */
  countUnanswered(reason: (typeof UNANSWERED)[number], texts: number): void {
    this.#unanswered.inc({ reason }, texts);
  }

  /** Counts batches whose lock was lost, which another worker may have taken over. */
  countLostLocks(batches: number): void {
    this.#lostLocks.inc(batches);
  }

  /** Counts thread deaths and isolated rows. */
  countEvent({ kind }: InferenceEvent): void {
    if (kind === 'thread-died') this.#threadDeaths.inc();
    if (kind === 'row-isolated') this.#isolatedRows.inc();
  }

  #countBatch(outcome: Outcome): void {
    this.#batches.inc({ outcome });
    if (outcome === 'duplicate') this.#duplicates.inc();
  }

  #countTexts(lane: Lane, summary: BatchSummary, model: string): void {
    const { verdicts, tokens, lostTokens, specialTokens = 0, unknownTokens = {} } = summary;
    for (const verdict of ROW_VERDICTS) this.#texts.inc({ lane, verdict }, verdicts[verdict]);
    this.#tokens.inc({ lane }, tokens);
    this.#lostTokens.inc({ lane }, lostTokens);
    this.#textTokens.inc({ lane, model }, tokens - specialTokens);
    for (const unknown of Object.values(unknownTokens)) this.#unknownTokens.inc({ lane, model }, unknown);
  }

  /** Renders the response of /metrics. */
  async render(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

function infoOf({ name, fingerprint, engine, kernel = '' }: MetricModel) {
  return { model: name, fingerprint, engine, kernel };
}

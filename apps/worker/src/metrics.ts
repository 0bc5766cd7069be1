/** What a worker tells Prometheus; `worker.ts` makes it, `batch-work.ts` counts with it. */

import {
  type BatchSummary,
  type Lane,
  ROW_VERDICTS,
  type RowOutcome,
  summarizeOutcomes,
} from '@embedmill/contract';
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
import { Registry } from 'prom-client';
import type { InferenceEvent, InferencePool } from './inference/index.ts';

/** Lanes that a text can come from. */
const LANES: readonly Lane[] = ['bulk', 'interactive'];

/** Why nobody waits for an interactive text: its caller left, or its deadline passed. */
const UNANSWERED = ['withdrawn', 'expired'] as const;

/** What can become of a delivery. */
const OUTCOMES = ['committed', 'duplicate', 'gone', 'lost', 'handed-back', 'abandoned'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Where the vector of a text can be known from. */
const REPEAT_SOURCES = ['thread', 'cache'] as const;

/** Stages of a batch at a worker; the producer adds `drain`. */
const STAGES = ['queue-wait', 'fetch', 'tokenize', 'infer', 'commit'] as const;

/** Every series exists from the start, at zero, so that rates work from the first scrape. No label holds an id of a run. */
export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #texts: Counter<'lane' | 'verdict'>;
  readonly #tokens: Counter<'lane'>;
  readonly #lostTokens: Counter<'lane'>;
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

  constructor() {
    const registers = [this.#registry];
    const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter<Label>({ name: `embedmill_${name}`, help, labelNames, registers });
    this.#texts = counter('texts_total', 'Texts that got a verdict.', 'lane', 'verdict');
    this.#tokens = counter('tokens_total', 'Tokens that went through the model.', 'lane');
    this.#lostTokens = counter('lost_tokens_total', 'Tokens cut off by truncation.', 'lane');
    this.#batches = counter('batches_total', 'Deliveries of batches by what became of them.', 'outcome');
    this.#stalled = counter('stalled_batches_total', 'Batches taken over from a worker that fell silent.');
    this.#retried = counter('retried_batches_total', 'Deliveries of batches that had failed before.');
    this.#duplicates = counter(
      'duplicate_batches_total',
      'Deliveries of batches that another delivery had committed; they changed nothing.',
    );
    this.#lostLocks = counter(
      'lock_renewal_failures_total',
      'Batches whose lock could not be renewed in time.',
    );
    this.#threadDeaths = counter('thread_deaths_total', 'Inference threads that ended before their time.');
    this.#isolatedRows = counter('isolated_rows_total', 'Rows set aside because they end inference threads.');
    this.#repeats = counter(
      'repeated_texts_total',
      'Texts, and chunks of long ones, whose vectors were known: to the thread, or from the cache in Redis.',
      'source',
    );
    this.#stageSeconds = new Histogram({
      name: 'embedmill_stage_seconds',
      help: 'Time of a batch in each stage.',
      labelNames: ['stage'],
      buckets: [...STAGE_BUCKETS_SECONDS],
      registers,
    });
    this.#interactiveSeconds = new Histogram({
      name: 'embedmill_interactive_stage_seconds',
      help: 'Time of interactive texts in each stage.',
      labelNames: ['stage'],
      buckets: [...LATENCY_BUCKETS_SECONDS],
      registers,
    });
    this.#unanswered = counter(
      'interactive_unanswered_texts_total',
      'Interactive texts that nobody waited for any more, begun or not.',
      'reason',
    );
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

  /** Shows the threads of this pool and the model in them. */
  watch(pool: InferencePool, model: { name: string; fingerprint: string }): void {
    const gauge = (name: string, help: string, read: () => number) =>
      readGauge(this.#registry, { name: `embedmill_${name}`, help }, read);
    gauge('threads', 'Inference threads that this worker should have.', () => pool.threads);
    gauge('threads_ready', 'Inference threads that take work.', () => pool.readyThreads);
    gauge('threads_busy', 'Inference threads at work.', () => pool.busyThreads);
    gauge('waiting_batches', 'Batches that this worker holds and has not begun.', () => pool.waitingBatches);
    new Gauge({
      name: 'embedmill_model_info',
      help: 'The model of this worker; always 1.',
      labelNames: ['model', 'fingerprint'],
      registers: [this.#registry],
    }).set({ model: model.name, fingerprint: model.fingerprint }, 1);
  }

  /** Counts a delivery when it arrives. */
  countDelivery({ stalls, attempt, waitedMs }: Delivery): void {
    if (stalls > 0) this.#stalled.inc();
    if (attempt > 1) this.#retried.inc();
    this.#stageSeconds.observe({ stage: 'queue-wait' }, waitedMs / 1000);
  }

  /** Times a step, also one that fails. */
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

  /** Counts what the tokenizer took of a batch's time of inference. */
  countTokenizing(ms: number): void {
    this.#stageSeconds.observe({ stage: 'tokenize' }, ms / 1000);
  }

  /** Counts texts that did not have to be computed. */
  countRepeats(source: (typeof REPEAT_SOURCES)[number], texts: number): void {
    this.#repeats.inc({ source }, texts);
  }

  /** Counts a delivery that brought nothing to commit. */
  countOutcome(outcome: Exclude<Outcome, 'committed'>): void {
    this.#countBatch(outcome);
  }

  /** Counts a batch after its commit; only the first commit of a batch counts its texts. */
  countBatch(outcome: CommitOutcome, summary: BatchSummary): void {
    this.#countBatch(outcome);
    if (outcome !== 'committed') return;
    this.#countTexts('bulk', summary);
  }

  /** Counts interactive texts that were answered, and where their time went. */
  countInteractive({ queueMs, inferMs }: PartTimings, outcomes: readonly RowOutcome[]): void {
    this.#countTexts('interactive', summarizeOutcomes(outcomes));
    this.#interactiveSeconds.observe({ stage: 'queue-wait' }, queueMs / 1000);
    this.#interactiveSeconds.observe({ stage: 'infer' }, inferMs / 1000);
  }

  /** Counts interactive texts that nobody waits for. */
  countUnanswered(reason: (typeof UNANSWERED)[number], texts: number): void {
    this.#unanswered.inc({ reason }, texts);
  }

  /** Counts batches that another worker may have taken over by now. */
  countLostLocks(batches: number): void {
    this.#lostLocks.inc(batches);
  }

  /** Counts what happens to the threads. */
  countEvent({ kind }: InferenceEvent): void {
    if (kind === 'thread-died') this.#threadDeaths.inc();
    if (kind === 'row-isolated') this.#isolatedRows.inc();
  }

  #countBatch(outcome: Outcome): void {
    this.#batches.inc({ outcome });
    if (outcome === 'duplicate') this.#duplicates.inc();
  }

  #countTexts(lane: Lane, { verdicts, tokens, lostTokens }: BatchSummary): void {
    for (const verdict of ROW_VERDICTS) this.#texts.inc({ lane, verdict }, verdicts[verdict]);
    this.#tokens.inc({ lane }, tokens);
    this.#lostTokens.inc({ lane }, lostTokens);
  }

  /** The page for /metrics. */
  async render(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

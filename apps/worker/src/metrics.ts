/** What a worker tells Prometheus. */

import {
  type BatchSummary,
  type CommitOutcome,
  ROW_VERDICTS,
  readAllowedCpus,
  readCpuQuota,
  readCpuUsage,
} from '@embedmill/core';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { InferencePool } from './inference/index.ts';

/** Seconds from 10 ms to 20 s: a batch of a few texts to one of thousands of tokens on a busy core. */
const STAGE_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

/** Every series exists from the start, at zero, so that rates work from the first scrape. */
export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #texts: Counter<'lane' | 'verdict'>;
  readonly #tokens: Counter<'lane'>;
  readonly #lostTokens: Counter<'lane'>;
  readonly batches: Counter<'outcome'>;
  readonly stalledBatches: Counter;
  readonly stageSeconds: Histogram<'stage'>;

  constructor({ pool }: { pool: InferencePool }) {
    const registers = [this.#registry];
    this.#texts = new Counter({
      name: 'embedmill_texts_total',
      help: 'Texts that got a verdict.',
      labelNames: ['lane', 'verdict'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'embedmill_tokens_total',
      help: 'Tokens that went through the model.',
      labelNames: ['lane'],
      registers,
    });
    this.#lostTokens = new Counter({
      name: 'embedmill_lost_tokens_total',
      help: 'Tokens cut off by truncation.',
      labelNames: ['lane'],
      registers,
    });
    this.batches = new Counter({
      name: 'embedmill_batches_total',
      help: 'Deliveries of batches by what became of them.',
      labelNames: ['outcome'],
      registers,
    });
    this.stalledBatches = new Counter({
      name: 'embedmill_stalled_batches_total',
      help: 'Batches taken over from a worker that fell silent.',
      registers,
    });
    this.stageSeconds = new Histogram({
      name: 'embedmill_stage_seconds',
      help: 'Time of a batch in each stage.',
      labelNames: ['stage'],
      buckets: STAGE_BUCKETS,
      registers,
    });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('embedmill_threads', 'Inference threads.', () => pool.threads);
    gauge('embedmill_threads_busy', 'Inference threads at work.', () => pool.busyThreads);
    gauge(
      'embedmill_cpu_quota_cores',
      'Cores that this process may use.',
      () => readCpuQuota() ?? readAllowedCpus(),
    );
    new Counter({
      name: 'embedmill_cpu_seconds_total',
      help: 'CPU time used by the control group, or by this process where there is none.',
      registers,
      collect() {
        this.reset();
        this.inc(readCpuUsage().usageSeconds);
      },
    });
    for (const verdict of ROW_VERDICTS) this.#texts.inc({ lane: 'bulk', verdict }, 0);
    for (const outcome of ['committed', 'duplicate', 'gone', 'lost']) this.batches.inc({ outcome }, 0);
    for (const counter of [this.#tokens, this.#lostTokens]) counter.inc({ lane: 'bulk' }, 0);
    for (const stage of ['infer', 'commit']) this.stageSeconds.zero({ stage });
  }

  /** Counts a batch after its commit; only the first commit of a batch counts its texts. */
  countBatch(outcome: CommitOutcome, summary: BatchSummary): void {
    this.batches.inc({ outcome });
    if (outcome !== 'committed') return;
    for (const verdict of ROW_VERDICTS) this.#texts.inc({ lane: 'bulk', verdict }, summary.verdicts[verdict]);
    this.#tokens.inc({ lane: 'bulk' }, summary.tokens);
    this.#lostTokens.inc({ lane: 'bulk' }, summary.lostTokens);
  }

  /** The page for /metrics. */
  async render(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

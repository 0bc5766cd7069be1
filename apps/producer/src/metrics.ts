/** What a producer tells Prometheus. */

import type { BatchQueue, Credits, Run } from '@embedmill/core';
import { Gauge, Registry } from 'prom-client';

/** What the metrics look at. */
export interface ProducerMetricsParts {
  credits: Credits;
  queue: BatchQueue;
  /** Runs at work. */
  runs: () => Run[];
}

/** Gauges are read when Prometheus asks. */
export class ProducerMetrics {
  readonly #registry = new Registry();

  constructor({ credits, queue, runs }: ProducerMetricsParts) {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('embedmill_runs_active', 'Runs that are open or sealed.', () => runs().length);
    gauge(
      'embedmill_credit_used_bytes',
      'Bytes of batches that are enqueued and not yet stored.',
      () => credits.usedBytes,
    );
    gauge(
      'embedmill_credit_limit_bytes',
      'Bytes of batches that may be enqueued and not yet stored.',
      () => credits.limitBytes,
    );
    new Gauge({
      name: 'embedmill_queue_batches',
      help: 'Batches in the queue by state; absent while Redis does not answer.',
      labelNames: ['lane', 'state'],
      registers,
      async collect() {
        const counts = await queue.counts().catch(() => null);
        this.reset();
        for (const [state, count] of Object.entries(counts ?? {})) this.set({ lane: 'bulk', state }, count);
      },
    });
  }

  /** The page for /metrics. */
  async render(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

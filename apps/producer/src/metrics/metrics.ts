/** All metrics of a producer. */

import type { Lane } from '@embedmill/contract';
import type { QueueState, SettledCall } from '@embedmill/core/redis';
import {
  type RedisInfo,
  registerCpuMetrics,
  registerProcessMetrics,
  registerRedisMetrics,
} from '@embedmill/core/telemetry';
import { Registry } from 'prom-client';
import { type FlowMetricsDeps, registerFlowMetrics } from './flow-metrics.ts';
import { type HealthMetricsDeps, registerHealthMetrics } from './health-metrics.ts';
import { type AnsweredRequest, registerHttpMetrics } from './http-metrics.ts';
import { registerLaneMetrics } from './lane-metrics.ts';
import { registerQueueMetrics } from './queue-metrics.ts';

/** What the metrics are read from. */
export interface ProducerMetricsDeps extends FlowMetricsDeps, HealthMetricsDeps {
  queues: Readonly<Partial<Record<Lane, QueueState>>>;
  redis: RedisInfo;
  /** Number of interactive texts that are waiting for their answer. */
  textsInFlight: () => number;
}

/** Metrics are read on each scrape. None is labelled with the id of a run, batch or request. */
export class ProducerMetrics {
  readonly #registry = new Registry();
  /** Counts a request to the API. */
  readonly countRequest: (request: AnsweredRequest) => void;
  /** Counts a finished interactive call. */
  readonly countCall: (call: SettledCall) => void;
  /** Records a batch that is on disk, with the seconds since its commit. */
  readonly countDrained: (seconds: number) => void;

  constructor({ queues, redis, textsInFlight, health, freeBytes, stored, ...flow }: ProducerMetricsDeps) {
    registerQueueMetrics(this.#registry, queues);
    registerRedisMetrics(this.#registry, redis);
    registerCpuMetrics(this.#registry);
    registerProcessMetrics(this.#registry);
    this.countCall = registerLaneMetrics(this.#registry, textsInFlight);
    this.countRequest = registerHttpMetrics(this.#registry);
    registerHealthMetrics(this.#registry, { health, freeBytes, stored });
    this.countDrained = registerFlowMetrics(this.#registry, flow);
  }

  /** The response of /metrics. */
  async render(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

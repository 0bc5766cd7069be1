/** Metrics of the depth and age of the queues. */

import type { Lane } from '@embedmill/contract';
import type { QueueState } from '@embedmill/core/redis';
import { cachedQuery, Gauge } from '@embedmill/core/telemetry';
import type { Registry } from 'prom-client';

/** How long values are cached, so that all series of one scrape share one query per queue. */
const CACHE_MS = 500;

/** Registers `embedmill_queue_*` and `embedmill_workers`; all are absent while Redis is unavailable. */
export function registerQueueMetrics(
  registry: Registry,
  queues: Readonly<Partial<Record<Lane, QueueState>>>,
): void {
  const registers = [registry];
  const lanes = Object.entries(queues).map(([lane, queue]) => ({
    lane,
    counts: cachedQuery(CACHE_MS, () => queue.counts()),
    oldestWaitingMs: cachedQuery(CACHE_MS, () => queue.oldestWaitingMs()),
    workers: cachedQuery(CACHE_MS, () => queue.workers()),
  }));
  new Gauge({
    name: 'embedmill_queue_batches',
    help: 'Batches in the queue by state.',
    labelNames: ['lane', 'state'],
    registers,
    async collect() {
      const answers = await Promise.all(
        lanes.map(async ({ lane, counts }) => ({ lane, counts: await counts() })),
      );
      this.reset();
      for (const { lane, counts } of answers)
        for (const [state, count] of Object.entries(counts ?? {})) this.set({ lane, state }, count);
    },
  });
  const perLane = (
    name: string,
    help: string,
    read: (lane: (typeof lanes)[number]) => Promise<number | undefined>,
  ) =>
    new Gauge({
      name: `embedmill_${name}`,
      help,
      labelNames: ['lane'],
      registers,
      async collect() {
        const values = await Promise.all(
          lanes.map(async (lane) => ({ lane: lane.lane, value: await read(lane) })),
        );
        this.reset();
        for (const { lane, value } of values) if (value !== undefined) this.set({ lane }, value);
      },
    });
  perLane(
    'queue_oldest_batch_age_seconds',
    'Age of the oldest waiting batch; 0 without waiting batches.',
    async ({ oldestWaitingMs }) => {
      const ms = await oldestWaitingMs();
      return ms === undefined ? undefined : ms / 1000;
    },
  );
  perLane('workers', 'Workers connected to the queue.', ({ workers }) => workers());
}

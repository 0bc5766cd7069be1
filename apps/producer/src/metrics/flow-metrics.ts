/** Metrics of the data flow from intake to disk: credits, backlog and results that are not yet in a shard. */

import type { Scale } from '@embedmill/contract';
import type { Credits } from '@embedmill/core/runs';
import { Histogram, readGauge, STAGE_BUCKETS_SECONDS } from '@embedmill/core/telemetry';
import type { Registry } from 'prom-client';

/** What the metrics are read from. */
export interface FlowMetricsDeps {
  credits: Credits;
  /** Runs that are open or sealed. */
  activeRuns: () => number;
  /** Active runs that wait for a worker with their model. */
  waitingRuns: () => number;
  /** Bytes of results that stay in Redis until their shard is written. */
  unackedBytes: () => number;
  scale: () => Promise<Scale | undefined>;
}

/**
 * Registers the metrics. Returns a function that records the time of a batch from commit to disk, in seconds.
 */
export function registerFlowMetrics(
  registry: Registry,
  { credits, activeRuns, waitingRuns, unackedBytes, scale }: FlowMetricsDeps,
): (seconds: number) => void {
  const gauge = (name: string, help: string, read: () => number | undefined | Promise<number | undefined>) =>
    readGauge(registry, { name: `embedmill_${name}`, help }, read);
  gauge('runs_active', 'Runs that are open or sealed.', activeRuns);
  gauge('runs_waiting', 'Active runs that wait for a worker with their model.', waitingRuns);
  gauge(
    'credit_used_bytes',
    'Bytes of batches that are enqueued but not yet stored.',
    () => credits.usedBytes,
  );
  gauge(
    'credit_limit_bytes',
    'Maximum bytes of batches that are enqueued but not yet stored.',
    () => credits.limitBytes,
  );
  gauge('credit_waiters', 'Parts of runs waiting for credit.', () => credits.waiting);
  gauge(
    'results_unacked_bytes',
    'Bytes of results held by the collector until their shard is written.',
    unackedBytes,
  );
  gauge('backlog_rows', 'Accepted rows that are not embedded yet.', async () => (await scale())?.backlogRows);
  gauge('backlog_tokens', 'Tokens in the backlog, estimated from finished rows.', async () => {
    return (await scale())?.backlogTokens;
  });
  gauge('rows_per_second', 'Rows embedded per second by all workers, over the last 15 seconds.', async () => {
    return (await scale())?.rowsPerSecond;
  });
  gauge('workers_wanted', 'Workers that would finish the backlog within the drain target.', async () => {
    return (await scale())?.desiredWorkers;
  });
  const stageSeconds = new Histogram({
    name: 'embedmill_stage_seconds',
    help: 'Time of a batch in each stage.',
    labelNames: ['stage'],
    buckets: [...STAGE_BUCKETS_SECONDS],
    registers: [registry],
  });
  stageSeconds.zero({ stage: 'drain' });
  return (seconds) => stageSeconds.observe({ stage: 'drain' }, seconds);
}

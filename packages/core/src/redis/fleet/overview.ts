/** JSON of GET /v1/overview and of its events. */

import type { Alert, DataStorage, Health, Lane, RunInfo, RunState } from '@embedmill/contract';
import type { QueueCounts } from '../queue/types.ts';
import type { WorkerReport } from './types.ts';

/** State of a producer and its fleet at one moment. */
export interface Overview {
  /** ISO 8601. */
  at: string;
  version: string;
  health: Health;
  /** Alerts of Prometheus that fire, the critical ones first. */
  alerts: Alert[];
  /** Newest first, maximum 20. */
  runs: RunInfo[];
  /** Number of runs by state. */
  runCounts: Record<RunState, number>;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Tokens per second of one worker, measured during a backlog; `null` before the first one. */
  tokensPerSecondPerWorker: number | null;
  /** Rows per second of all runs, oldest first. */
  history: { intervalMs: number; rowsPerSecond: number[] };
  queues: { lane: Lane; counts: QueueCounts; oldestWaitingMs: number }[];
  workers: WorkerReport[];
  /** Memory of Redis; `null` while it is unreachable. */
  redis: { usedBytes: number; limitBytes: number } | null;
  /** Credit of this producer in bytes, and the number of uploads waiting for some. */
  credits: { usedBytes: number; limitBytes: number; waiting: number };
  /** Data folder; `null` until it is open. */
  storage: DataStorage | null;
}

/** What goes on at a producer: the JSON of GET /v1/overview and of its events. */

import type { Lane, RunInfo, RunState } from '@embedmill/contract';
import type { QueueCounts } from '../queue/types.ts';
import type { WorkerReport } from './types.ts';

/** Everything that a page needs to show what goes on, as of one moment. */
export interface Overview {
  /** ISO 8601. */
  at: string;
  version: string;
  /** Whether a run could be accepted now, and if not, why. */
  ready: boolean;
  reasons: string[];
  /** Newest first, at most 20. */
  runs: RunInfo[];
  /** All runs by state. */
  runCounts: Record<RunState, number>;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Tokens/s of one worker, measured while there was a backlog; `null` before that. */
  tokensPerSecondPerWorker: number | null;
  /** Rows/s of all runs, oldest first. */
  history: { intervalMs: number; rowsPerSecond: number[] };
  queues: { lane: Lane; counts: QueueCounts; oldestWaitingMs: number }[];
  workers: WorkerReport[];
  /** Memory of Redis; `null` while it does not answer. */
  redis: { usedBytes: number; limitBytes: number } | null;
  /** What this producer keeps in Redis, of what it may; and parts whose reading waits for room. */
  credits: { usedBytes: number; limitBytes: number; waiting: number };
}

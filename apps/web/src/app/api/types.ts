/** What the API answers, as the pages use it; the producer's own types, where the pages may see them. */

export type {
  CleanStep,
  RowOutcome,
  RunInfo,
  RunOptions,
  RunState,
  VerdictCounts,
} from '@embedmill/contract';
export type { Overview, WorkerReport } from '@embedmill/core/redis';
export type { RunStatistics } from '@embedmill/core/runs';

/** A problem document (RFC 9457) of the API, as far as pages read it. */
export interface Problem {
  title: string;
  detail: string;
  code: string;
}

/** Types of API responses; most are those of the producer itself. */

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

/** The members of a problem document (RFC 9457) that the pages read. */
export interface ApiProblem {
  title: string;
  detail: string;
  code: string;
}

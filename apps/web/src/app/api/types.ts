/** What the API answers, as the pages use it; the producer's own types, where the pages may see them. */

export type {
  CleanStep,
  Overview,
  RowOutcome,
  RunInfo,
  RunOptions,
  RunState,
  RunStatistics,
  VerdictCounts,
  WorkerReport,
} from '@embedmill/core';

/** A problem document (RFC 9457) of the API, as far as pages read it. */
export interface Problem {
  title: string;
  detail: string;
  code: string;
}

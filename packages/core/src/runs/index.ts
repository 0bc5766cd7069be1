/** Runs: what the producer keeps on disk and what it says about it. */

export { estimateTokens } from './cut.ts';
export { Journal } from './journal.ts';
export type { PaceSeries } from './pace.ts';
export {
  type FinishedRows,
  type RowText,
  readFinished,
  readIds,
  readReport,
  readResults,
  readTexts,
  resultsShape,
} from './results.ts';
export { type ReceivedResult, Run, type RunParts } from './run.ts';
export { Runs, type ShownRun } from './runs.ts';
export { type LengthBucket, type RunStatistics, readStatistics } from './statistics.ts';
export {
  MAX_REJECTED_SHOWN,
  type PartReceipt,
  type ReportRow,
  type RunInfo,
  type RunOptions,
  type RunState,
} from './types.ts';

/** Runs: what the producer keeps on disk and what it says about it. */

export { Collector, type CollectorDeps } from './collector.ts';
export { Credits } from './credits.ts';
export { estimateTokens } from './cut.ts';
export { Journal } from './journal.ts';
export { MemoryGate } from './memory-gate.ts';
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
export { type ReceivedResult, Run, type RunDeps } from './run.ts';
export { Runs, type ShownRun } from './runs.ts';
export { type LengthBucket, type RunStatistics, readStatistics } from './statistics.ts';

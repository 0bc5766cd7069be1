/** Runs (`@embedmill/core/runs`): a run's files and states, the collector, credits, and reading results. */

export { Collector, type CollectorDeps } from './collector.ts';
export { DESCRIBE_MEMORY_BYTES, type DescribedColumn, describeColumns } from './columns/describe.ts';
export { type KeepColumnsOptions, keepColumns } from './columns/keep.ts';
export { applyCondition, type PackedColumn, packedBytes, readColumns } from './columns/values.ts';
export { Credits } from './credits.ts';
export { batchLimits, type ColumnsRow, estimateTokens, MAX_BATCH_BYTES } from './cut.ts';
export { formatRecord, Journal } from './journal.ts';
export type { LedgerEntry } from './ledger.ts';
export { MemoryGate } from './memory-gate.ts';
export type { PaceSeries } from './pace.ts';
export type { PartUpload } from './part-intake.ts';
export { GROUP_BYTES } from './part-writer.ts';
export {
  type FinishedRows,
  type RowText,
  readFinished,
  readIds,
  readPart,
  readReport,
  readResults,
  readRowsSent,
  readRowTexts,
  readRowVectors,
  resultsShape,
} from './read-results.ts';
export { type RepairOptions, type RepairReport, repairRuns } from './repair.ts';
export { type ReceivedResult, Run, type RunDeps } from './run.ts';
export { ARCHIVE_MEMORY_BYTES, exportRun, type RunExport } from './run-archive.ts';
export type { NewRun } from './run-files.ts';
export { type ImportOptions, type RemoveOptions, Runs, type RunsDeps, type ShownRun } from './runs.ts';
export { type LengthBucket, type RunStatistics, readStatistics } from './statistics.ts';
export type { AnalysisHeader, StoredAnalysis, StoredTopic } from './stored-analysis.ts';

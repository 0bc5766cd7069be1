/** What travels between producer, worker and collector; also imported alone (`@embedmill/core/batch`) by inference threads. */

export { type BatchPayload, encodeBatchPayload, readBatchPayload } from './payload.ts';
export {
  type BatchResult,
  type BatchResultHeader,
  decodeBatchResult,
  encodeBatchResult,
  peekBatchResult,
} from './result.ts';
export {
  countVerdicts,
  emptyVerdictCounts,
  type Lane,
  type Precision,
  ROW_VERDICTS,
  type RowOutcome,
  type RowVerdict,
  type Truncate,
  type VerdictCounts,
} from './types.ts';

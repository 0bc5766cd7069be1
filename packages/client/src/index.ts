/**
 * The public interface of `@embedmill/client`: a producer client for Node and browsers that only needs
 * `fetch`.
 */

export type {
  ChunkSpan,
  CleanStep,
  ColumnKind,
  ColumnSource,
  Dtype,
  FormatName,
  GlossaryTerm,
  LongTexts,
  PartReceipt,
  Precision,
  RejectedRow,
  ReportRow,
  RowOutcome,
  RowVerdict,
  RunColumn,
  RunColumnValues,
  RunInfo,
  RunModel,
  RunModels,
  RunOptions,
  RunState,
  Scale,
  ScoreBaseline,
  SearchAnswer,
  SearchFilter,
  SearchHit,
  SearchMode,
  SearchQuery,
  TextInput,
  Truncate,
  VectorBlock,
  VectorEncoding,
} from '@embedmill/contract';
export { EmbedmillClient } from './client.ts';
export { ApiError, ClientError, PassingFault } from './errors.ts';
export type { CallOptions, ClientOptions } from './http.ts';
export { exemptLoopback } from './loopback.ts';
export { followParts, type PartVectors, type ReadPartOptions } from './part-vectors.ts';
export { type RetryOptions, withRetry } from './retry.ts';
export type { SendRowsOptions, SentRows } from './send-rows.ts';
export type * from './types.ts';
export type { ReadVectorsOptions, VectorBatch } from './vectors.ts';
export type { WaitOptions } from './wait.ts';

/** What travels between producer, worker and collector; also imported alone (`@embedmill/core/batch`) by inference threads. */

export {
  type GlossaryTerm,
  MAX_GLOSSARY_TERMS,
  MAX_TERM_CHARS,
  type StoredGlossary,
  storeGlossary,
} from './glossary.ts';
export { type BatchPayload, encodeBatchPayload, readBatchPayload } from './payload.ts';
export {
  type BatchResult,
  type BatchResultHeader,
  decodeBatchResult,
  decodeOutcomes,
  encodeBatchResult,
  peekBatchResult,
} from './result.ts';
export {
  CLEAN_STEPS,
  type CleanStep,
  LONG_TEXTS,
  type LongTexts,
  MAX_PROMPT_CHARS,
  type Treatment,
  treatmentOf,
  UNTREATED,
  vectorFingerprint,
} from './treatment.ts';
export {
  type BatchSummary,
  type ChunkSpan,
  emptyVerdictCounts,
  type Lane,
  type Precision,
  ROW_VERDICTS,
  type RowOutcome,
  type RowVerdict,
  summarizeOutcomes,
  type TextInput,
  type Truncate,
  type VerdictCounts,
} from './types.ts';

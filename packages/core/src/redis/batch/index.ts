/** The wire format of a batch: texts, results, glossaries and fingerprints; inference threads import it alone (`@embedmill/core/batch`). */

export { vectorFingerprint } from './fingerprint.ts';
export { storeGlossary } from './glossary.ts';
export { type BatchPayload, encodeBatchPayload, readBatchPayload } from './payload.ts';
export {
  type BatchResult,
  type BatchResultHeader,
  decodeBatchResult,
  decodeOutcomes,
  encodeBatchResult,
  peekBatchResult,
} from './result.ts';

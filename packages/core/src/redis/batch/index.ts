/** Wire format of batches (`@embedmill/core/batch`): payloads, results, glossaries, fingerprints. */

export { computedWith, vectorFingerprint } from './fingerprint.ts';
export { storeGlossary } from './glossary.ts';
export { type BatchPayload, digestPayload, encodeBatchPayload, readBatchPayload } from './payload.ts';
export {
  type BatchResult,
  type BatchResultHeader,
  decodeBatchResult,
  decodeOutcomes,
  encodeBatchResult,
  peekBatchResult,
  resultDigestOf,
  summarizeResult,
  withResultDigest,
} from './result.ts';

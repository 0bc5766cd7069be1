/** Fingerprints of vectors: equal fingerprints mean comparable vectors. */

import { createHash } from 'node:crypto';
import { type Treatment, treatmentOf, UNTREATED } from '@embedmill/contract';

/** Part of the fingerprint: raised when cleaning, glossary or chunking change their results. */
const TREATMENT_REVISION = 2;

/**
 * Fingerprint of vectors made by a model from texts with a treatment. For untreated texts it is that of the
 * model, so that vectors older than treatments keep theirs.
 * @param model fingerprint of the model, 16 hexadecimal characters
 * @returns 16 hexadecimal characters
 */
export function vectorFingerprint(model: string, treatment: Treatment): string {
  const canonical = JSON.stringify(treatmentOf(treatment));
  if (canonical === JSON.stringify(UNTREATED)) return model;
  return createHash('sha256')
    .update(`${model} ${TREATMENT_REVISION} ${canonical}`)
    .digest('hex')
    .slice(0, 16);
}

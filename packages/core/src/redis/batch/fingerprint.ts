/** The fingerprint of vectors: which vectors may be compared with each other. */

import { createHash } from 'node:crypto';
import { type Treatment, treatmentOf, UNTREATED } from '@embedmill/contract';

/** Part of the fingerprint: raised whenever a cleaning step, the glossary or the splitting of long texts gives other results than before. */
const TREATMENT_REVISION = 2;

/**
 * The fingerprint of vectors: equal means comparable. It equals that of the model while texts are untreated, so that vectors made
 * before treatment existed keep theirs.
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

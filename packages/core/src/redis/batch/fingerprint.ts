/** Fingerprints of vectors: equal fingerprints mean comparable vectors. */

import { createHash } from 'node:crypto';
import { type Treatment, treatmentOf, UNTREATED } from '@embedmill/contract';

/**
 * Revision of the treatment of this build; raised when cleaning, glossary or chunking change their results. Workers state it in each
 * result, and the fingerprint of vectors contains it.
 */
export const TREATMENT_REVISION = 3;

/** Revision of workers that do not state theirs. */
export const UNSTATED_REVISION = 2;

/**
 * Fingerprint of vectors made by a model from texts with a treatment. For untreated texts it is that of the
 * model, so that vectors older than treatments keep theirs.
 * @param model fingerprint of the model, 16 hexadecimal characters
 * @param revision of the treatment with which the vectors were made. Default: of this build
 * @returns 16 hexadecimal characters
 */
export function vectorFingerprint(
  model: string,
  treatment: Treatment,
  revision: number = TREATMENT_REVISION,
): string {
  const { inputType, ...rest } = treatmentOf(treatment);
  // Queries are compared with documents, so both have the fingerprint of documents.
  const canonical = JSON.stringify(inputType === 'none' ? { ...rest, inputType } : rest);
  if (canonical === JSON.stringify(UNTREATED)) return model;
  return createHash('sha256').update(`${model} ${revision} ${canonical}`).digest('hex').slice(0, 16);
}

/**
 * What a result was computed with, as one string: a worker compares it with that of a run before it computes a batch.
 * @param model fingerprint of the model
 * @param revision of the treatment. Default: of this build
 */
export function computedWith(model: string, revision: number = TREATMENT_REVISION): string {
  return `${model}/${revision}`;
}

/** The fingerprint of the model in a string of `computedWith`. */
export function modelOf(computed: string): string {
  return computed.slice(0, computed.indexOf('/'));
}

/** Embeds labelled pairs and computes thresholds from their cosines. */

import { type Calibration, calibrate, type ScoredPair } from '@embedmill/analysis/calibration';
import { cosine, requestVectors } from '../../api/vectors.ts';
import type { LabelledTextPair } from './parse-pairs.ts';

/** Texts per request: a larger one would delay other callers. */
const TEXTS_PER_CALL = 128;

/** The thresholds and the number of skipped pairs. */
export interface PairCalibration {
  calibration: Calibration;
  /** Pairs with a text that has no vector. */
  skippedPairs: number;
}

/**
 * Embeds every distinct text once and calibrates on the cosines of the pairs.
 * @param onProgress called with the share of embedded texts, 0 to 1
 * @throws {FetchError} if the texts cannot be embedded
 * @throws {RangeError} if no pair is labelled same, or none different
 */
export async function calibratePairs(
  pairs: readonly LabelledTextPair[],
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<PairCalibration> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const vectors = new Map<string, Float32Array | null>();
  for (let start = 0; start < texts.length; start += TEXTS_PER_CALL) {
    onProgress(start / texts.length);
    const slice = texts.slice(start, start + TEXTS_PER_CALL);
    const embedded = await requestVectors(slice, {}, signal);
    for (const [i, text] of slice.entries()) vectors.set(text, embedded.vectors[i] ?? null);
  }
  const scored = pairs.flatMap(({ a, b, same }): ScoredPair[] => {
    const score = cosine(vectors.get(a), vectors.get(b));
    return score === null ? [] : [{ score, same }];
  });
  return { calibration: calibrate(scored), skippedPairs: pairs.length - scored.length };
}

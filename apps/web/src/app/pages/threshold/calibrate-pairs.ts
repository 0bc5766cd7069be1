/** From labelled pairs to thresholds: embeds every text once and has the analysis look at the cosines. */

import { type Calibration, calibrate, type ScoredPair } from '@embedmill/analysis/calibration';
import { cosine, embedTexts } from '../../api/embed.ts';
import type { LabelledPair } from './read-pairs.ts';

/** Texts of one request; more would make others wait. */
const TEXTS_PER_CALL = 128;

/** The thresholds, and pairs that could not be compared. */
export interface PairCalibration {
  calibration: Calibration;
  /** Pairs of which a text has no vector. */
  left: number;
}

/**
 * @param onProgress told the part that is done, 0 to 1
 * @throws {ApiError} when the texts cannot be embedded
 * @throws {RangeError} when there is no pair of one kind
 */
export async function calibratePairs(
  pairs: readonly LabelledPair[],
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<PairCalibration> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const vectors = new Map<string, Float32Array | null>();
  for (let start = 0; start < texts.length; start += TEXTS_PER_CALL) {
    onProgress(start / texts.length);
    const slice = texts.slice(start, start + TEXTS_PER_CALL);
    const embedded = await embedTexts(slice, {}, signal);
    for (const [i, text] of slice.entries()) vectors.set(text, embedded.vectors[i] ?? null);
  }
  const scored = pairs.flatMap(({ a, b, same }): ScoredPair[] => {
    const score = cosine(vectors.get(a), vectors.get(b));
    return score === null ? [] : [{ score, same }];
  });
  return { calibration: calibrate(scored), left: pairs.length - scored.length };
}

/**
 * Scores relative to unrelated texts: the cosines of some models live in a narrow band, so that 0.85 means
 * "unrelated" for one model and "the same" for another.
 */

/** Cosines of unrelated texts of a model, measured when it was added. */
export interface ScoreBaseline {
  /** Mean cosine of unrelated texts of a language that the model relates. */
  mean: number;
  /** Standard deviation of these cosines. */
  spread: number;
  /** Pairs that were measured. */
  pairs: number;
}

/** Mean from which on scores are shown relative to it; below, a cosine says the same. */
export const NARROW_BAND_MEAN = 0.2;

/** Returns 0 for the mean of unrelated texts, 1 for equal ones, and less than 0 for less related ones. */
export function relativeScore(cosine: number, { mean }: ScoreBaseline): number {
  return (cosine - mean) / (1 - mean);
}

/** Returns the cosine of a relative score. */
export function cosineOfRelative(score: number, { mean }: ScoreBaseline): number {
  return mean + score * (1 - mean);
}

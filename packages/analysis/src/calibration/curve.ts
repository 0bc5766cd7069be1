/** Computes the precision-recall curve of scored pairs. */

import type { CurvePoint, ScoredPair } from './types.ts';

/**
 * One point per distinct score, highest first. Recall increases along the curve; precision may rise or fall.
 * @param pairs sorted by descending score, with at least one that is the same
 * @param weights how often each pair counts. Default: once
 */
export function precisionRecallCurve(
  pairs: readonly ScoredPair[],
  weights: Uint32Array = new Uint32Array(pairs.length).fill(1),
): CurvePoint[] {
  let relevant = 0;
  for (const [n, { same }] of pairs.entries()) if (same) relevant += weights[n]!;
  const curve: CurvePoint[] = [];
  let found = 0;
  let right = 0;
  for (let n = 0; n < pairs.length; ) {
    const threshold = pairs[n]!.score;
    const before = found;
    for (; pairs[n]?.score === threshold; n++) {
      found += weights[n]!;
      if (pairs[n]!.same) right += weights[n]!;
    }
    if (found > before) curve.push(pointOf(threshold, found, right, relevant));
  }
  return curve;
}

/** The figures of a threshold from counts; precision is 1 if no pair is found. */
export function pointOf(threshold: number, found: number, right: number, relevant: number): CurvePoint {
  return {
    threshold,
    precision: found === 0 ? 1 : right / found,
    recall: right / relevant,
    // Equal to 2PR / (P + R), without the division by zero if both are 0.
    f1: (2 * right) / (found + relevant),
  };
}

/** Area under the stepped curve: Σ (recall − previous recall) · precision, as in scikit-learn. */
export function averagePrecision(curve: readonly CurvePoint[]): number {
  let area = 0;
  let before = 0;
  for (const { precision, recall } of curve) {
    area += (recall - before) * precision;
    before = recall;
  }
  return area;
}

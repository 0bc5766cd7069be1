/** The precision-recall curve of scored pairs; `calibrate` and its bootstrap make one per sample. */

import type { CurvePoint, ScoredPair } from './types.ts';

/**
 * One point per different score, the highest first. Recall rises along it; precision may do both.
 * @param pairs sorted by falling score, with at least one that is the same
 * @param weights how often each pair counts; all once when left out
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

/** Precision 1 where nothing is found: nothing of it is wrong. */
export function pointOf(threshold: number, found: number, right: number, relevant: number): CurvePoint {
  return {
    threshold,
    precision: found === 0 ? 1 : right / found,
    recall: right / relevant,
    // Of 2PR / (P + R), without the division by zero where both are.
    f1: (2 * right) / (found + relevant),
  };
}

/** Area under the curve as steps: Σ (recall − recall before) · precision (scikit-learn's average_precision_score). */
export function averagePrecision(curve: readonly CurvePoint[]): number {
  let area = 0;
  let before = 0;
  for (const { precision, recall } of curve) {
    area += (recall - before) * precision;
    before = recall;
  }
  return area;
}

/** Says how far thresholds can be trusted, by drawing the sample again and again from itself (Efron's bootstrap). */

import type { Random } from '../random.ts';
import type { Rule } from './choose.ts';
import { pointOf, precisionRecallCurve } from './curve.ts';
import type { CurvePoint, Interval, ScoredPair, ThresholdChoice } from './types.ts';

/** A rule and the threshold that it chose from all pairs. */
export interface Chosen {
  rule: Rule;
  point: CurvePoint;
}

/** Figures of one threshold, one entry per sample. */
interface Draws {
  threshold: number[];
  precision: number[];
  recall: number[];
  f1: number[];
}

/**
 * Percentile intervals of each chosen threshold. A sample without a pair of each kind is drawn again: it has no curve.
 * @param pairs sorted by falling score, with both kinds among them
 */
export function bootstrap(
  pairs: readonly ScoredPair[],
  chosen: readonly Chosen[],
  { samples, confidence, random }: { samples: number; confidence: number; random: Random },
): ThresholdChoice[] {
  const draws = chosen.map((): Draws => ({ threshold: [], precision: [], recall: [], f1: [] }));
  for (let sample = 0; sample < samples; sample++) {
    const weights = drawWeights(pairs, random);
    const curve = precisionRecallCurve(pairs, weights);
    for (const [n, { rule, point }] of chosen.entries()) {
      // Where no threshold of the sample will do, it says nothing about where one would be.
      const again = rule(curve);
      if (again !== null) draws[n]!.threshold.push(again.threshold);
      const { precision, recall, f1 } = pointAt(point.threshold, pairs, weights);
      draws[n]!.precision.push(precision);
      draws[n]!.recall.push(recall);
      draws[n]!.f1.push(f1);
    }
  }
  return chosen.map(({ point }, n) => ({
    ...point,
    intervals: {
      threshold: interval(draws[n]!.threshold, confidence, point.threshold),
      precision: interval(draws[n]!.precision, confidence, point.precision),
      recall: interval(draws[n]!.recall, confidence, point.recall),
      f1: interval(draws[n]!.f1, confidence, point.f1),
    },
  }));
}

/** How often each pair is in a sample of as many pairs. */
function drawWeights(pairs: readonly ScoredPair[], random: Random): Uint32Array {
  for (;;) {
    const weights = new Uint32Array(pairs.length);
    let same = 0;
    for (let n = 0; n < pairs.length; n++) {
      const drawn = Math.floor(random.next() * pairs.length);
      weights[drawn]! += 1;
      if (pairs[drawn]!.same) same += 1;
    }
    if (same > 0 && same < pairs.length) return weights;
  }
}

function pointAt(threshold: number, pairs: readonly ScoredPair[], weights: Uint32Array): CurvePoint {
  let [found, right, relevant] = [0, 0, 0];
  for (const [n, { score, same }] of pairs.entries()) {
    const weight = weights[n]!;
    if (same) relevant += weight;
    if (score < threshold) continue;
    found += weight;
    if (same) right += weight;
  }
  return pointOf(threshold, found, right, relevant);
}

/** The middle `confidence` of the values; `[fallback, fallback]` without any. */
function interval(values: number[], confidence: number, fallback: number): Interval {
  if (values.length === 0) return [fallback, fallback];
  const sorted = values.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(tail), at(1 - tail)];
}

/** Computes confidence intervals of thresholds by resampling the pairs (Efron's bootstrap). */

import type { Random } from '../random.ts';
import type { ThresholdRule } from './choose.ts';
import { pointOf, precisionRecallCurve } from './curve.ts';
import type { CurvePoint, Interval, ScoredPair, ThresholdChoice } from './types.ts';

/** A rule and the threshold that it chooses from all pairs. */
export interface Chosen {
  rule: ThresholdRule;
  point: CurvePoint;
}

/** The figures of one threshold, one entry per sample. */
interface Draws {
  threshold: number[];
  precision: number[];
  recall: number[];
  f1: number[];
}

/**
 * Percentile intervals of each chosen threshold. A sample without pairs of both kinds has no curve and is
 * drawn again.
 * @param pairs sorted by descending score, with pairs of both kinds
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
      // A sample without a suitable threshold adds nothing to the interval of the threshold.
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

/** Draws a sample of the same size, as the number of times that each pair is in it. */
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

/** The central `confidence` share of the values; `[fallback, fallback]` without values. */
function interval(values: number[], confidence: number, fallback: number): Interval {
  if (values.length === 0) return [fallback, fallback];
  const sorted = values.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(tail), at(1 - tail)];
}

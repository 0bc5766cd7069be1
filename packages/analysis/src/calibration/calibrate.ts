/** Finds similarity thresholds from labelled pairs. */

import { randomFrom } from '../random.ts';
import { bootstrap } from './bootstrap.ts';
import { atPrecision, atRecall, bestF1, type ThresholdRule } from './choose.ts';
import { averagePrecision, precisionRecallCurve } from './curve.ts';
import type { Calibration, CalibrationOptions, ScoreBin, ScoredPair } from './types.ts';

/** Default options. 1,000 samples give the ends of a 95 % interval to about 1 %. */
export const CALIBRATION_DEFAULTS: Required<CalibrationOptions> = {
  recall: 0.95,
  precision: 0.95,
  samples: 1000,
  seed: 1,
  confidence: 0.95,
  bins: 20,
};

/** With fewer pairs the intervals are too wide for most decisions. */
const MIN_PAIRS = 200;

/** Minimum pairs of each kind, below which a calibration carries a warning. */
const MIN_PAIRS_PER_KIND = 30;

/**
 * Computes the curve, the histogram, and the thresholds with their intervals; deterministic for the same
 * pairs and options.
 * @throws {RangeError} if all pairs are of one kind, a score is not finite, or an option is out of range
 */
export function calibrate(pairs: readonly ScoredPair[], options: CalibrationOptions = {}): Calibration {
  const { recall, precision, samples, seed, confidence, bins } = { ...CALIBRATION_DEFAULTS, ...options };
  checkShare('recall', recall);
  checkShare('precision', precision);
  checkPairs(pairs);
  const sorted = [...pairs].sort((a, b) => b.score - a.score);
  const same = sorted.filter((pair) => pair.same).length;
  const curve = precisionRecallCurve(sorted);
  const rules: ThresholdRule[] = [bestF1, atRecall(recall), atPrecision(precision)];
  const chosen = rules.flatMap((rule) => {
    const point = rule(curve);
    return point === null ? [] : [{ rule, point }];
  });
  // The curve ends with recall 1, so only the target precision can be out of reach.
  const [forF1, forRecall, forPrecision] = bootstrap(sorted, chosen, {
    samples,
    confidence,
    random: randomFrom(seed),
  });
  return {
    pairs: pairs.length,
    same,
    averagePrecision: averagePrecision(curve),
    bestF1: forF1!,
    atRecall: { wanted: recall, choice: forRecall! },
    atPrecision: { wanted: precision, choice: forPrecision ?? null },
    curve,
    histogram: histogramOf(sorted, bins),
    bootstrap: { samples, seed, confidence },
    warnings: warningsFor(pairs.length, same),
  };
}

function checkShare(name: string, value: number): void {
  if (!(value > 0 && value <= 1)) {
    throw new RangeError(`the target ${name} is ${value}; expected a number above 0, up to 1`);
  }
}

function checkPairs(pairs: readonly ScoredPair[]): void {
  const bad = pairs.findIndex(({ score }) => !Number.isFinite(score));
  if (bad !== -1)
    throw new RangeError(`pair ${bad + 1} has the score ${pairs[bad]!.score}; expected a number`);
  for (const same of [true, false]) {
    if (pairs.some((pair) => pair.same === same)) continue;
    const kind = same ? 'the same' : 'different';
    throw new RangeError(
      `none of the ${pairs.length} pairs is ${kind}; a threshold needs pairs of both kinds`,
    );
  }
}

function warningsFor(pairs: number, same: number): string[] {
  const warnings: string[] = [];
  if (pairs < MIN_PAIRS) {
    warnings.push(`${pairs} pairs are few: the thresholds may move a lot with ${MIN_PAIRS} or more`);
  }
  for (const [count, kind] of [
    [same, 'the same'],
    [pairs - same, 'different'],
  ] as const) {
    if (count < MIN_PAIRS_PER_KIND) warnings.push(`only ${count} of ${pairs} pairs are ${kind}`);
  }
  return warnings;
}

/**
 * Counts pairs in bins of equal width from the minimum to the maximum score; one bin if all scores are equal.
 */
function histogramOf(pairs: readonly ScoredPair[], bins: number): ScoreBin[] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { score } of pairs) {
    min = Math.min(min, score);
    max = Math.max(max, score);
  }
  if (!(max > min)) bins = 1;
  const width = (max - min) / bins;
  const counts = Array.from({ length: bins }, () => ({ same: 0, different: 0 }));
  for (const { score, same } of pairs) {
    const bin = counts[width > 0 ? Math.min(bins - 1, Math.floor((score - min) / width)) : 0]!;
    if (same) bin.same += 1;
    else bin.different += 1;
  }
  return counts.map((count, n) => ({
    from: min + n * width,
    to: n === bins - 1 ? max : min + (n + 1) * width,
    ...count,
  }));
}

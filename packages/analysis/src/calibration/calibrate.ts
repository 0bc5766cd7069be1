/** Finds the thresholds that labelled pairs speak for; `embedmill calibrate` and the Threshold page call it. */

import { randomFrom } from '../random.ts';
import { bootstrap } from './bootstrap.ts';
import { atPrecision, atRecall, bestF1, type Rule } from './choose.ts';
import { averagePrecision, precisionRecallCurve } from './curve.ts';
import { histogramOf } from './histogram.ts';
import type { Calibration, CalibrationOptions, ScoredPair } from './types.ts';

/** "Never miss" and "never wrong" mean 95 % of the cases; 1 000 samples give the ends of a 95 % interval to about 1 %. */
export const calibrationDefaults: Required<CalibrationOptions> = {
  recall: 0.95,
  precision: 0.95,
  samples: 1000,
  seed: 1,
  confidence: 0.95,
  bins: 20,
};

/** Below this the intervals are wider than most decisions bear. */
export const FEWEST_PAIRS = 200;

/** Below this one kind of pairs is a handful of examples, whatever the number of the others. */
const FEWEST_OF_A_KIND = 30;

/**
 * The curve, its histogram and the thresholds with their intervals; the same pairs and options give the same figures.
 * @throws {RangeError} when there is no pair of one kind, a score is not finite, or an option is out of its range
 */
export function calibrate(pairs: readonly ScoredPair[], options: CalibrationOptions = {}): Calibration {
  const { recall, precision, samples, seed, confidence, bins } = { ...calibrationDefaults, ...options };
  checkShare('recall', recall);
  checkShare('precision', precision);
  checkPairs(pairs);
  const sorted = [...pairs].sort((a, b) => b.score - a.score);
  const same = sorted.filter((pair) => pair.same).length;
  const curve = precisionRecallCurve(sorted);
  const rules: Rule[] = [bestF1, atRecall(recall), atPrecision(precision)];
  const chosen = rules.flatMap((rule) => {
    const point = rule(curve);
    return point === null ? [] : [{ rule, point }];
  });
  // The curve ends with recall 1, so only the wanted precision may be out of reach.
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
    warnings: doubts(pairs.length, same),
  };
}

function checkShare(name: string, value: number): void {
  if (!(value > 0 && value <= 1)) {
    throw new RangeError(`the wanted ${name} is ${value}; expected a number above 0, up to 1`);
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

function doubts(pairs: number, same: number): string[] {
  const warnings: string[] = [];
  if (pairs < FEWEST_PAIRS) {
    warnings.push(`${pairs} pairs are few: the thresholds may move a lot with ${FEWEST_PAIRS} or more`);
  }
  for (const [count, kind] of [
    [same, 'the same'],
    [pairs - same, 'different'],
  ] as const) {
    if (count < FEWEST_OF_A_KIND) warnings.push(`only ${count} of ${pairs} pairs are ${kind}`);
  }
  return warnings;
}

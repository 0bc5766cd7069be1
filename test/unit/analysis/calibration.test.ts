/** Tests calibration against values calculated by hand. */

import { randomFrom } from '@embedmill/analysis';
import {
  averagePrecision,
  calibrate,
  precisionRecallCurve,
  type ScoredPair,
} from '@embedmill/analysis/calibration';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** `0.9+` is a same pair with score 0.9, `0.4-` a different pair with score 0.4. */
const pairsOf = (...marks: string[]): ScoredPair[] =>
  marks.map((mark) => ({ score: Number.parseFloat(mark), same: mark.endsWith('+') }));

/** Six pairs, four the same. From the top: 1/1, 2/2, 2/3, 3/4, 3/5, 4/6 right. */
const six = pairsOf('0.9+', '0.8+', '0.7-', '0.6+', '0.4-', '0.2+');

/** The given number of pairs, with overlapping scores. */
function manyPairs(count: number): ScoredPair[] {
  const random = randomFrom(5);
  return Array.from({ length: count }, () => {
    const same = random.chance(0.4);
    return { score: random.next() * 0.7 + (same ? 0.3 : 0), same };
  });
}

describe('the curve', () => {
  test('has precision, recall and F1 at every score', () => {
    expect(precisionRecallCurve(six)).toEqual([
      { threshold: 0.9, precision: 1, recall: 0.25, f1: 0.4 },
      { threshold: 0.8, precision: 1, recall: 0.5, f1: 4 / 6 },
      { threshold: 0.7, precision: 2 / 3, recall: 0.5, f1: 4 / 7 },
      { threshold: 0.6, precision: 0.75, recall: 0.75, f1: 0.75 },
      { threshold: 0.4, precision: 0.6, recall: 0.75, f1: 6 / 9 },
      { threshold: 0.2, precision: 4 / 6, recall: 1, f1: 0.8 },
    ]);
  });

  test('counts pairs with equal scores together', () => {
    const curve = precisionRecallCurve(pairsOf('0.5+', '0.5-', '0.1+'));
    expect(curve.map(({ threshold, precision }) => [threshold, precision])).toEqual([
      [0.5, 0.5],
      [0.1, 2 / 3],
    ]);
  });

  test('has an average precision', () => {
    // Steps of recall: 0.25·1 + 0.25·1 + 0·(2/3) + 0.25·0.75 + 0·0.6 + 0.25·(4/6)
    expect(averagePrecision(precisionRecallCurve(six))).toBeCloseTo(0.5 + 0.1875 + 1 / 6, 12);
  });
});

describe('a calibration', () => {
  test('chooses the thresholds of its rules', () => {
    const { bestF1, atRecall, atPrecision } = calibrate(six, { recall: 0.7, precision: 0.9 });
    expect(bestF1).toMatchObject({ threshold: 0.2, f1: 0.8 });
    expect(atRecall).toMatchObject({ wanted: 0.7, choice: { threshold: 0.6, precision: 0.75 } });
    expect(atPrecision).toMatchObject({ wanted: 0.9, choice: { threshold: 0.8, recall: 0.5 } });
  });

  test('has no choice if no threshold reaches the precision', () => {
    const { atPrecision } = calibrate(pairsOf('0.9-', '0.8+', '0.1-'), { precision: 0.9 });
    expect(atPrecision).toEqual({ wanted: 0.9, choice: null });
  });

  test('does not depend on the order of the pairs', () => {
    const pairs = manyPairs(60);
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs, { minLength: 60 }), (shuffled) => {
        const { bestF1, curve } = calibrate(shuffled, { samples: 0 });
        expect({ bestF1, curve }).toEqual({
          bestF1: calibrate(pairs, { samples: 0 }).bestF1,
          curve: calibrate(pairs, { samples: 0 }).curve,
        });
      }),
      { numRuns: 20 },
    );
  });

  test('has intervals that contain the figure, repeat with the seed and shrink with more pairs', () => {
    const widthOf = (count: number): number => {
      const calibration = calibrate(manyPairs(count));
      expect(calibrate(manyPairs(count))).toEqual(calibration);
      const { bestF1 } = calibration;
      for (const [low, high, value] of [
        [...bestF1.intervals.f1, bestF1.f1],
        [...bestF1.intervals.recall, bestF1.recall],
        [...bestF1.intervals.precision, bestF1.precision],
      ]) {
        expect(low).toBeLessThanOrEqual(value!);
        expect(high).toBeGreaterThanOrEqual(value!);
      }
      return bestF1.intervals.f1[1] - bestF1.intervals.f1[0];
    };
    expect(widthOf(2000)).toBeLessThan(widthOf(100) / 2);
    expect(calibrate(manyPairs(100), { seed: 2 }).bestF1).not.toEqual(calibrate(manyPairs(100)).bestF1);
  });

  test('covers the true recall about as often as the confidence states', () => {
    // Scores of the same are uniform from 0.3 to 1, so that the recall of a threshold t is (1 − t) / 0.7.
    const random = randomFrom(11);
    let covered = 0;
    for (let trial = 0; trial < 100; trial++) {
      const pairs = Array.from({ length: 200 }, () => {
        const same = random.chance(0.5);
        return { score: random.next() * 0.7 + (same ? 0.3 : 0), same };
      });
      const { choice } = calibrate(pairs, {
        recall: 0.8,
        samples: 200,
        seed: trial,
        confidence: 0.9,
      }).atRecall;
      const truth = (1 - choice.threshold) / 0.7;
      if (choice.intervals.recall[0] <= truth && truth <= choice.intervals.recall[1]) covered += 1;
    }
    // 90 of 100 expected; the threshold is chosen from the same pairs, which costs some.
    expect(covered).toBeGreaterThanOrEqual(75);
  });

  test('warns about few pairs, and few pairs of one kind', () => {
    expect(calibrate(manyPairs(500), { samples: 1 }).warnings).toEqual([]);
    expect(calibrate(six, { samples: 1 }).warnings).toEqual([
      '6 pairs are few: the thresholds may move a lot with 200 or more',
      'only 4 of 6 pairs are the same',
      'only 2 of 6 pairs are different',
    ]);
  });

  test('counts the pairs by score', () => {
    expect(calibrate(pairsOf('0-', '0.1-', '0.5+', '0.6-', '1+'), { bins: 2, samples: 0 }).histogram).toEqual(
      [
        { from: 0, to: 0.5, same: 0, different: 2 },
        { from: 0.5, to: 1, same: 2, different: 1 },
      ],
    );
    expect(calibrate(pairsOf('0.5+', '0.5-'), { samples: 0 }).histogram).toEqual([
      { from: 0.5, to: 0.5, same: 1, different: 1 },
    ]);
  });

  test.each([
    [pairsOf('0.5+', '0.6+'), {}, 'none of the 2 pairs is different'],
    [pairsOf('0.5-'), {}, 'none of the 1 pairs is the same'],
    [[...six, { score: Number.NaN, same: true }], {}, 'pair 7 has the score NaN'],
    [six, { recall: 0 }, 'the target recall is 0'],
    [six, { precision: 1.2 }, 'the target precision is 1.2'],
  ])('cannot be made of %j with %j', (pairs, options, words) => {
    expect(() => calibrate(pairs, options)).toThrow(words);
  });
});

/** Tests the measurement of models on sentences of eight languages, and scores relative to unrelated texts. */

import { cosineOfRelative, relativeScore, type TextInput } from '@embedmill/contract';
import { isRelated, measureModel } from '@embedmill/embed';
import { describe, expect, test } from 'vitest';
import { SENTENCES } from '../../../packages/embed/src/quality/sentences.ts';
import { openBuiltIn } from './models.ts';

/** Vectors as a function of the text, in place of a model. */
function embedderOf(
  dim: number,
  vectorOf: (text: string) => readonly number[],
): Parameters<typeof measureModel>[0] {
  const embed = async (text: TextInput, target: Float32Array, offset: number) => {
    const vector = vectorOf(String(text));
    const length = Math.hypot(...vector);
    target.set(
      vector.map((value) => value / length),
      offset,
    );
    return { verdict: 'ok', tokens: 3, lostTokens: 0 } as const;
  };
  return { model: { dim }, embed };
}

/** Index of the meaning of a sentence, and whether it is the second wording. */
const meaningOf = new Map(
  Object.values(SENTENCES).flatMap((sentences) =>
    sentences.flatMap(([first, second], meaning) => [
      [first, { meaning, wording: 0 }],
      [second, { meaning, wording: 1 }],
    ]),
  ) as [string, { meaning: number; wording: number }][],
);

test('the sentences are 8 meanings in 8 languages, all different', () => {
  expect(Object.keys(SENTENCES)).toHaveLength(8);
  expect(Object.values(SENTENCES).map(({ length }) => length)).toEqual(Array.from({ length: 8 }, () => 8));
  expect(meaningOf.size).toBe(128);
});

describe('a model', () => {
  test('that knows every meaning relates every language and its translations', async () => {
    // Unrelated meanings have the cosine 0.8, wordings of a meaning nearly 1.
    const knowing = embedderOf(10, (text) => {
      const { meaning, wording } = meaningOf.get(text)!;
      return Array.from({ length: 10 }, (_, i) =>
        i === 9 ? 2 : i === meaning ? 1 : i === 8 ? wording / 10 : 0,
      );
    });
    const { languages, baseline, problems } = await measureModel(knowing);
    expect(problems).toEqual([]);
    expect(languages.every((each) => isRelated(each) && each.wordings === 8)).toBe(true);
    expect(languages.map(({ translations }) => translations)).toEqual([null, ...Array(7).fill(8)]);
    expect(baseline).toEqual({ mean: 0.8, spread: 0, pairs: 8 * 28 });
  });

  test('that gives every text the same vector, or vectors without meaning, is a problem', async () => {
    const constant = await measureModel(embedderOf(3, () => [1, 2, 3]));
    expect(constant.problems).toEqual(['all sentences have the same vector']);
    const lengths = await measureModel(embedderOf(2, (text) => [1, text.length]));
    expect(lengths.problems).toEqual([
      expect.stringMatching(/^it relates no language: of 8 sentences in \w+, its best/),
    ]);
    const missing = await measureModel(embedderOf(2, () => [Number.NaN, 1]));
    expect(missing.problems[0]).toMatch(/has length NaN, expected 1/);
  });

  test('that is built in relates English alone', async () => {
    const { languages, baseline, problems } = await measureModel(await openBuiltIn('int8'));
    expect(problems).toEqual([]);
    expect(languages.filter(isRelated).map(({ language }) => language)).toEqual(['English']);
    expect(baseline.mean).toBeCloseTo(0.094, 1);
  });
});

test('a relative score is 0 for unrelated texts and 1 for equal ones', () => {
  const baseline = { mean: 0.8, spread: 0.05, pairs: 28 };
  expect(relativeScore(0.8, baseline)).toBe(0);
  expect(relativeScore(1, baseline)).toBe(1);
  expect(relativeScore(0.7, baseline)).toBeCloseTo(-0.5);
  expect(cosineOfRelative(relativeScore(0.93, baseline), baseline)).toBeCloseTo(0.93);
});

import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { SAMPLE_QUESTIONS, sampleReviews } from 'embedmill/sample';
import { describe, expect, test } from 'vitest';

const words = (text: string): number => text.split(/\s+/).length;

describe('sampleReviews', () => {
  const reviews = sampleReviews({ count: 2_500, seed: 1 });

  test('writes thousands of texts, no two the same and none empty', () => {
    expect(new Set(reviews.map(({ text }) => text)).size).toBe(2_500);
    expect(new Set(reviews.map(({ id }) => id)).size).toBe(2_500);
    expect(reviews.filter(({ text }) => text.trim() === '')).toEqual([]);
  });

  test('repeats itself for a seed, adds at the end for a larger count, and differs for another seed', () => {
    expect(sampleReviews({ count: 100, seed: 1 })).toEqual(reviews.slice(0, 100));
    expect(sampleReviews({ count: 100, seed: 2 })).not.toEqual(reviews.slice(0, 100));
  });

  test('draws the same on every machine', () => {
    expect(sampleReviews({ count: 2, seed: 7 }).at(-1)).toEqual({
      id: 'rain-jacket-00002',
      text:
        'A birthday present from a colleague. The zip runs with gloves on and has a flap that does not catch. ' +
        'We live on the fifth floor without a lift, so I notice such things. That said, water comes through the ' +
        'seams after a short shower. For the price it is all right; for more I would look elsewhere.',
    });
  });

  test('varies from a few words to a few hundred, most of them short', () => {
    const lengths = reviews.map(({ text }) => words(text)).sort((a, b) => a - b);
    const quantile = (share: number) => lengths[Math.floor(share * lengths.length)] ?? 0;
    expect(quantile(0.05)).toBeLessThanOrEqual(6);
    expect(quantile(0.5)).toBeGreaterThan(20);
    expect(quantile(0.5)).toBeLessThan(80);
    expect(quantile(0.98)).toBeGreaterThan(200);
    expect(lengths.at(-1)).toBeLessThan(400);
  });

  test('holds shouting, emoji and haste, but leaves most reviews tidy', () => {
    const shouting = reviews.filter(({ text }) => text === text.toUpperCase()).length;
    const emoji = reviews.filter(({ text }) => /\p{Extended_Pictographic}/u.test(text)).length;
    const tidy = reviews.filter(({ text }) => /^[A-Z].*[.!]$/s.test(text)).length;
    expect(shouting).toBeGreaterThan(20);
    expect(emoji).toBeGreaterThan(20);
    expect(tidy).toBeGreaterThan(2_000);
  });

  test('leaves no pattern unfilled', () => {
    expect(reviews.filter(({ text }) => /[{}|]|undefined/.test(text))).toEqual([]);
  });

  test('makes every n-th text empty when asked', () => {
    const gaps = sampleReviews({ count: 30, seed: 1, emptyEvery: 10 });
    expect(gaps.flatMap(({ text }, at) => (text === '' ? [at + 1] : []))).toEqual([10, 20, 30]);
  });

  test('refuses a count that is none', () => {
    expect(() => sampleReviews({ count: -1, seed: 1 })).toThrow('got -1');
  });
});

test('the questions find reviews of the right products', async () => {
  const model = await prepareModel({ precision: 'int8', cacheDir: readConfig(process.env).cacheDir });
  const embedder = await Embedder.open(model);
  const vectorOf = async (text: string): Promise<Float32Array> => {
    const vector = new Float32Array(model.dim);
    expect(await embedder.embed(text, vector, 0)).toMatchObject({ verdict: 'ok' });
    return vector;
  };
  const short = sampleReviews({ count: 2_500, seed: 1 }).filter(({ text }) => words(text) < 25);
  const candidates = [];
  for (const { id, text } of short.slice(0, 400)) candidates.push({ id, text, vector: await vectorOf(text) });

  for (const question of SAMPLE_QUESTIONS) {
    const asked = await vectorOf(question.text);
    const score = (vector: Float32Array) => vector.reduce((sum, x, i) => sum + x * (asked[i] ?? 0), 0);
    const [nearest] = candidates.sort((a, b) => score(b.vector) - score(a.vector));
    const found = `${question.text} → ${nearest?.id}: ${nearest?.text}`;
    expect(question.slugs, found).toContain(nearest?.id.replace(/-\d+$/, ''));
  }
  await embedder.close();
});

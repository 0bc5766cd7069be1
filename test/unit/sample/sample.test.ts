/** The sample reviews, their generator and their questions. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { readSampleReviews, SAMPLE_QUESTIONS, type SampleReview } from 'embedmill/sample';
import { describe, expect, test } from 'vitest';

const GENERATOR = new URL('../../../scripts/sample-reviews/main.mjs', import.meta.url).pathname;

const words = (text: string): number => text.split(/\s+/).length;

/** The output of the generator: JSON lines. */
const generate = (...options: string[]): string =>
  execFileSync(process.execPath, [GENERATOR, ...options], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

const parse = (lines: string): SampleReview[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('sample reviews', () => {
  const reviews = readSampleReviews();

  test('are what the generator makes', () => {
    expect(reviews).toEqual(parse(generate()));
  });

  test('are 2,500 distinct texts, none of them empty', () => {
    expect(new Set(reviews.map(({ text }) => text)).size).toBe(2_500);
    expect(new Set(reviews.map(({ id }) => id)).size).toBe(2_500);
    expect(reviews.filter(({ text }) => text.trim() === '')).toEqual([]);
  });

  test('vary from a few words to a few hundred, most of them short', () => {
    const lengths = reviews.map(({ text }) => words(text)).sort((a, b) => a - b);
    const quantile = (share: number) => lengths[Math.floor(share * lengths.length)] ?? 0;
    expect(quantile(0.05)).toBeLessThanOrEqual(6);
    expect(quantile(0.5)).toBeGreaterThan(20);
    expect(quantile(0.5)).toBeLessThan(80);
    expect(quantile(0.98)).toBeGreaterThan(200);
    expect(lengths.at(-1)).toBeLessThan(400);
  });

  test('include shouting, emoji and typing errors, but most are tidy', () => {
    const shouting = reviews.filter(({ text }) => text === text.toUpperCase()).length;
    const emoji = reviews.filter(({ text }) => /\p{Extended_Pictographic}/u.test(text)).length;
    const tidy = reviews.filter(({ text }) => /^[A-Z].*[.!]$/s.test(text)).length;
    expect(shouting).toBeGreaterThan(20);
    expect(emoji).toBeGreaterThan(20);
    expect(tidy).toBeGreaterThan(2_000);
  });

  test('leave no pattern unexpanded', () => {
    expect(reviews.filter(({ text }) => /[{}|]|undefined/.test(text))).toEqual([]);
  });
});

describe('the generator of sample reviews', () => {
  test('appends for a larger count, and differs for another seed', () => {
    const reviews = readSampleReviews();
    const more = parse(generate('--count', '2600'));
    expect(more).toHaveLength(2_600);
    expect(more.slice(0, 2_500)).toEqual(reviews);
    expect(parse(generate('--count', '100', '--seed', '2'))).not.toEqual(reviews.slice(0, 100));
  });

  test('draws the same texts on every machine', () => {
    expect(parse(generate('--count', '2', '--seed', '7')).at(-1)).toEqual({
      id: 'rain-jacket-00002',
      text:
        'A birthday present from a colleague. The zip runs with gloves on and has a flap that does not catch. ' +
        'We live on the fifth floor without a lift, so I notice such things. That said, water comes through the ' +
        'seams after a short shower. For the price it is all right; for more I would look elsewhere.',
    });
  });

  test('rejects a count outside its range', () => {
    const { status, stderr } = spawnSync(process.execPath, [GENERATOR, '--count', '100001'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('expected a whole number from 0 to 100000, got 100001');
  });
});

test('the sample questions find reviews of the right products', async () => {
  const model = await prepareModel({ precision: 'int8', cacheDir: readConfig(process.env).cacheDir });
  const embedder = await Embedder.open(model);
  const vectorOf = async (text: string): Promise<Float32Array> => {
    const vector = new Float32Array(model.dim);
    expect(await embedder.embed(text, vector, 0)).toMatchObject({ verdict: 'ok' });
    return vector;
  };
  const short = readSampleReviews().filter(({ text }) => words(text) < 25);
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

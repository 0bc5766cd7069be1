/** Product reviews from a seed, for `embedmill up --sample`, benchmarks and tests: no data set needs to be shipped. */

import { randomFrom } from '@embedmill/analysis';
import { compose } from './compose.ts';
import { mess } from './mess.ts';

/** One review, in the shape of an input row. */
export interface SampleReview {
  /** Product and number, for example `kettle-00017`. */
  id: string;
  /** English, 2 to about 320 words. */
  text: string;
}

/** What to generate. */
export interface SampleOptions {
  /** How many reviews, at most 100 000. */
  count: number;
  /** The same seed gives the same reviews on every machine; a larger `count` only adds some at the end. */
  seed: number;
  /** Makes every n-th review an empty text, as files of real users have them. Default: none is empty. */
  emptyEvery?: number;
}

/** Reviews with texts that are all different (empty ones excepted). Throws a RangeError for a `count` that is out of range. */
export function sampleReviews({ count, seed, emptyEvery }: SampleOptions): SampleReview[] {
  if (!Number.isInteger(count) || count < 0 || count > 100_000) {
    throw new RangeError(`count: expected a whole number from 0 to 100000, got ${count}`);
  }
  const random = randomFrom(seed);
  const seen = new Set<string>();
  const reviews: SampleReview[] = [];
  while (reviews.length < count) {
    const { slug, text: tidy } = compose(random);
    const text = mess(tidy, random);
    if (seen.has(text)) continue;
    seen.add(text);
    const number = reviews.length + 1;
    const isEmpty = emptyEvery !== undefined && number % emptyEvery === 0;
    reviews.push({ id: `${slug}-${String(number).padStart(5, '0')}`, text: isEmpty ? '' : text });
  }
  return reviews;
}

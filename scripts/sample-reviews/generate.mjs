/** Generates product reviews from a seed: realistic in length and style, and free of any licence. */

import { randomFrom } from '@embedmill/analysis';
import { compose } from './compose.mjs';
import { distort } from './distort.mjs';

/** Above this the patterns run out of different texts. */
const MAX_REVIEWS = 100_000;

/**
 * Reviews with distinct texts: English, 2 to about 320 words each.
 * @param {{ count: number, seed: number }} options the same seed gives the same reviews on every machine; a larger
 * `count` appends reviews
 * @returns {{ id: string, text: string }[]} ids are the product and the number of the review: `kettle-00017`
 * @throws {RangeError} unless `count` is a whole number from 0 to 100,000
 */
export function generateReviews({ count, seed }) {
  if (!Number.isInteger(count) || count < 0 || count > MAX_REVIEWS) {
    throw new RangeError(`count: expected a whole number from 0 to ${MAX_REVIEWS}, got ${count}`);
  }
  const random = randomFrom(seed);
  const seen = new Set();
  const reviews = [];
  while (reviews.length < count) {
    const { slug, text: composed } = compose(random);
    const text = distort(composed, random);
    if (seen.has(text)) continue;
    seen.add(text);
    reviews.push({ id: `${slug}-${String(reviews.length + 1).padStart(5, '0')}`, text });
  }
  return reviews;
}

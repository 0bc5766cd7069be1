/** Splitting the texts of a call into parts. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  charsOf,
  MAX_CHARS,
  MAX_TEXTS,
  slicesOf,
} from '../../../packages/core/src/redis/interactive/split-call.ts';

const input = fc.oneof(
  fc.string(),
  fc.integer({ min: 1, max: 40_000 }).map((length) => 'x'.repeat(length)),
  fc.array(fc.nat(30_000), { minLength: 1 }),
);

describe('slices', () => {
  it('contain every text once and in order, with their start index', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (texts) => {
        const slices = slicesOf(texts);
        expect(slices.flatMap((slice) => slice.texts)).toEqual(texts);
        for (const { start, texts: own } of slices) expect(own[0]).toBe(texts[start]);
      }),
    );
  });

  it('stay within the limits; a larger text is alone in its slice', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (texts) => {
        for (const { texts: own } of slicesOf(texts)) {
          const chars = own.reduce((sum, text) => sum + charsOf(text), 0);
          expect(own.length).toBeLessThanOrEqual(MAX_TEXTS);
          expect(chars <= MAX_CHARS || own.length === 1).toBe(true);
        }
      }),
    );
  });
});

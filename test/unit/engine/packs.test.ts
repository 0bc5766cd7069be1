/** The pack planner and the weight compiler. */

import { packWeights, planPacks } from '@embedmill/engine';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { randomEncoder, SMALL_SHAPE } from '../../support/encoder.ts';

describe('planning packs', () => {
  it.each<[string, number[], number, number[]]>([
    ['no texts', [], 10, []],
    ['one text', [4], 10, [1]],
    ['texts that fit exactly', [4, 6, 10], 10, [2, 3]],
    ['a text beyond the maximum', [3, 40, 3, 3], 10, [1, 2, 4]],
    ['no packing', [3, 4], 0, [1, 2]],
  ])('%s', (_, lengths, max, ends) => {
    expect(planPacks(lengths, max)).toEqual(ends);
  });

  it('keeps the order, fills packs and loses no text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 })),
        fc.integer({ min: 1, max: 500 }),
        (lengths, max) => {
          const ends = planPacks(lengths, max);
          expect(ends.at(-1) ?? 0).toBe(lengths.length);
          let first = 0;
          for (const end of ends) {
            expect(end).toBeGreaterThan(first);
            const tokens = lengths.slice(first, end).reduce((sum, length) => sum + length, 0);
            expect(tokens <= max || end === first + 1).toBe(true);
            if (end < lengths.length) expect(tokens + lengths[end]!).toBeGreaterThan(max);
            first = end;
          }
        },
      ),
    );
  });
});

describe('the weight compiler', () => {
  test('gives the same bytes for the same tensors', () => {
    expect(packWeights(randomEncoder(SMALL_SHAPE))).toEqual(packWeights(randomEncoder(SMALL_SHAPE)));
  });

  it.each<[string, Partial<ReturnType<typeof randomEncoder>>, RegExp]>([
    ['a width that is not a multiple of 64', { width: 65 }, /a width of 65, expected a multiple of 64/],
    ['heads of another size', { heads: 4 }, /4 heads of a width of 64, expected heads of 32 or 64/],
    ['no layers', { layers: [] }, /no layers/],
    ['a NaN', { words: new Float32Array(64).fill(Number.NaN) }, /words with the value NaN at 0/],
    ['a large value', { positions: new Float32Array(64).fill(2000) }, /positions with the value 2000/],
    ['half a row', { words: new Float32Array(96) }, /not rows of 64 floats/],
  ])('refuses %s', (_, change, message) => {
    const encoder = { ...randomEncoder({ ...SMALL_SHAPE, layers: 1 }), ...change };
    expect(() => packWeights(encoder)).toThrow(
      expect.objectContaining({ code: 'weights-unsupported', message: expect.stringMatching(message) }),
    );
  });
});

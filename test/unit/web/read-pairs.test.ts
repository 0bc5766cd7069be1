/** How the page Threshold reads labelled pairs. */

import { describe, expect, it } from 'vitest';
// Part of the pages, which no package exports.
import { EXAMPLE_PAIRS } from '../../../apps/web/src/app/pages/threshold/example.ts';
import { readPairs } from '../../../apps/web/src/app/pages/threshold/read-pairs.ts';

const PAIR = { a: 'one', b: 'two, three', same: true };

describe('labelled pairs', () => {
  it.each([
    ['with commas and quotes', 'one,"two, three",same'],
    ['with tabs', 'one\ttwo, three\t1'],
    ['with semicolons', 'one;two, three;TRUE'],
    ['below a line of titles', 'left,right,label\none,"two, three",yes\n'],
    ['between empty lines', '\n\none,"two, three",duplicate\n\n'],
  ])('are read %s', (_how, text) => {
    expect(readPairs(text)).toEqual([PAIR]);
  });

  it.each([
    ['an unknown label', 'a,b,same\nc,d,perhaps', 'Line 2 is not a labelled pair'],
    ['a text that is missing', 'a,b,1\nc,,0', 'Line 2'],
    ['a line without a label', 'a,b,1\nc,d', 'Line 2'],
  ])('are rejected with %s, with the line number', (_what, text, message) => {
    expect(() => readPairs(text)).toThrow(message);
  });

  it('of the example are all read', () => {
    const pairs = readPairs(EXAMPLE_PAIRS);
    expect(pairs).toHaveLength(33);
    expect(pairs.filter(({ same }) => same)).toHaveLength(17);
  });
});

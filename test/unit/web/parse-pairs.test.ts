/** Parser of labelled pairs of the Threshold page. */

import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { EXAMPLE_PAIRS } from '../../../apps/web/src/app/pages/threshold/example.ts';
import { parsePairs } from '../../../apps/web/src/app/pages/threshold/parse-pairs.ts';

const PAIR = { a: 'one', b: 'two, three', same: true };

describe('labelled pairs', () => {
  it.each([
    ['with commas and quotes', 'one,"two, three",same'],
    ['with tabs', 'one\ttwo, three\t1'],
    ['with semicolons', 'one;two, three;TRUE'],
    ['below a header line', 'left,right,label\none,"two, three",yes\n'],
    ['between empty lines', '\n\none,"two, three",duplicate\n\n'],
  ])('are parsed %s', (_how, text) => {
    expect(parsePairs(text)).toEqual([PAIR]);
  });

  it.each([
    ['an unknown label', 'a,b,same\nc,d,perhaps', 'Line 2 is not a labelled pair'],
    ['a missing text', 'a,b,1\nc,,0', 'Line 2'],
    ['a line without a label', 'a,b,1\nc,d', 'Line 2'],
  ])('are rejected with %s, with the line number', (_what, text, message) => {
    expect(() => parsePairs(text)).toThrow(message);
  });

  it('of the example are all parsed', () => {
    const pairs = parsePairs(EXAMPLE_PAIRS);
    expect(pairs).toHaveLength(33);
    expect(pairs.filter(({ same }) => same)).toHaveLength(17);
  });
});

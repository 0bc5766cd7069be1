/** Number and time formats of the pages. */

import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { bytes, duration, rate, share } from '../../../apps/web/src/app/ui/format.ts';

describe('formats of the pages', () => {
  it.each([
    [0.84, '0.8 s'],
    [42, '42 s'],
    [59.7, '1 min'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [18_720, '5 h 12 min'],
    [183_600, '2 d 3 h'],
  ])('formats %s seconds as %s', (seconds, written) => {
    expect(duration(seconds)).toBe(written);
  });

  it.each([
    [0, 0, '0 %'],
    [0, 10, '0 %'],
    [1, 100_000, '< 0.1 %'],
    [31, 1000, '3.1 %'],
    [99_999, 100_000, '> 99.9 %'],
    [7, 7, '100 %'],
  ])('formats %s of %s as %s: only none is 0 % and only all is 100 %', (part, total, written) => {
    expect(share(part, total)).toBe(written);
  });

  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [1536, '1.5 KB'],
    [268_435_456, '256 MB'],
    [5 * 1024 ** 5, '5,120 TB'],
  ])('formats %s bytes as %s', (n, written) => {
    expect(bytes(n)).toBe(written);
  });

  it.each([
    [0, '0'],
    [0.4, '0.4'],
    [99.96, '100.0'],
    [1240.4, '1,240'],
  ])('formats a rate of %s as %s', (n, written) => {
    expect(rate(n)).toBe(written);
  });
});

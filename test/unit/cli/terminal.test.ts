/** Numbers, styles and tables for the terminal. */

import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatNoun,
  formatRate,
} from '../../../apps/cli/src/shell/terminal/numbers.ts';
import { paintFor } from '../../../apps/cli/src/shell/terminal/style.ts';
import { formatTable } from '../../../apps/cli/src/shell/terminal/table.ts';

describe('numbers', () => {
  test.each([
    [formatCount(1_234_567), '1,234,567'],
    [formatNoun(1, 'row'), '1 row'],
    [formatNoun(2_000, 'row'), '2,000 rows'],
    [formatRate(0), '0'],
    [formatRate(7.254), '7.25'],
    [formatRate(9.996), '10.0'],
    [formatRate(214.4), '214'],
    [formatRate(999.6), '1.00k'],
    [formatRate(25_340), '25.3k'],
    [formatRate(1_200_000), '1.20M'],
    [formatClock(9), '0:09'],
    [formatClock(59.6), '1:00'],
    [formatClock(750), '12:30'],
    [formatClock(10_805), '3:00:05'],
    [formatDuration(0.84), '0.8 s'],
    [formatDuration(9.97), '10 s'],
    [formatDuration(59.7), '1 min 0 s'],
    [formatDuration(750), '12 min 30 s'],
    [formatDuration(11_100), '3 h 5 min'],
    [formatBytes(812), '812 B'],
    [formatBytes(1_500), '1.50 kB'],
    [formatBytes(6_144_128), '6.14 MB'],
    [formatBytes(999_600), '1.00 MB'],
  ])('%s is formatted as %s', (given, expected) => {
    expect(given).toBe(expected);
  });
});

describe('paintFor', () => {
  const terminal = { isTTY: true };

  test('paints on a terminal', () => {
    expect(paintFor(terminal, { TERM: 'xterm' })('bad', 'x')).toBe('\u001B[31mx\u001B[39m');
  });

  test.each([
    ['a pipe', {}, {}],
    ['NO_COLOR', terminal, { NO_COLOR: '1' }],
    ['a dumb terminal', terminal, { TERM: 'dumb' }],
  ])('leaves the text unchanged for %s', (_, stream, environment) => {
    expect(paintFor(stream, environment)('bad', 'x')).toBe('x');
  });

  test('ignores an empty NO_COLOR', () => {
    expect(paintFor(terminal, { NO_COLOR: '' })('good', 'x')).not.toBe('x');
  });
});

test('formatTable aligns columns, and numbers to the right', () => {
  expect(
    formatTable(
      [
        ['RUN', 'ROWS'],
        ['a', '5'],
        ['long', '1,000'],
      ],
      [1],
    ),
  ).toEqual(['RUN    ROWS', 'a         5', 'long  1,000']);
});

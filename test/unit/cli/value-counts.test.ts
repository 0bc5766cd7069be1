/** Tests the shares of topics by value and period. */

import { describe, expect, test } from 'vitest';
import { ValueCounts } from '../../../apps/cli/src/commands/cluster/value-counts.ts';

function countsOf(rows: readonly (readonly [topic: number, value: string])[]): ValueCounts {
  const counts = new ValueCounts('day');
  for (const [topic, value] of rows) counts.add(topic, value);
  return counts;
}

describe('rows by value and topic', () => {
  test('have their shares of the value and of the topic', () => {
    const counts = countsOf([
      [0, 'b'],
      [0, 'a'],
      [0, 'a'],
      [1, 'a'],
    ]);
    expect([...counts.records()]).toEqual([
      ['a', 0, 2, '0.6667', '0.6667'],
      ['a', 1, 1, '0.3333', '1.0000'],
      ['b', 0, 1, '1.0000', '0.3333'],
    ]);
  });

  test('are refused if the values are not categories', () => {
    const rows = Array.from({ length: 10_001 }, (_, n) => [0, String(n)] as const);
    expect(() => countsOf(rows)).toThrow('"day" has more than 10,000 different values');
  });
});

test.each([
  ['days', 60, ['2026-01-01', '2026-01-02']],
  ['months', 70, ['2026-01', '2026-02']],
  ['years', 3_000, ['2026', '2027']],
])('a trend has %s for %d days', (_, days, first) => {
  const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();
  const counts = countsOf(Array.from({ length: days }, (_, n) => [0, day(n)] as const));
  const periods = [...counts.byPeriod().records()].map(([period]) => period);
  expect(periods.slice(0, 2)).toEqual(first);
});

test('values that are not dates are left out of a trend', () => {
  const counts = countsOf([
    [0, ''],
    [0, '2026-11-28 20:00:00'],
    [1, 'soon'],
  ]);
  expect([...counts.byPeriod().records()]).toEqual([['2026-11-28', 0, 1, '1.0000', '1.0000']]);
});

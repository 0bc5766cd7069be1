/** Progress as lines and as a bar. */

import { describe, expect, test } from 'vitest';
import { drawLine } from '../../../apps/cli/src/shell/progress/bar.ts';
import { LineDisplay, plainLine } from '../../../apps/cli/src/shell/progress/lines.ts';
import type { ProgressSnapshot } from '../../../apps/cli/src/shell/progress/types.ts';

const halfway: ProgressSnapshot = {
  rowsDone: 2_000,
  rowsTotal: 4_000,
  isEstimate: false,
  rowsPerSecond: 200,
  tokensPerSecond: 25_340,
  verdicts: { ok: 1_997, truncated: 2, empty: 0, failed: 1 },
  waitingFor: null,
};
const unpainted = (_look: string, text: string) => text;

describe('a plain line', () => {
  test('has progress, speed, remaining time and verdicts', () => {
    expect(plainLine(halfway)).toBe(
      '50%  2,000/4,000 rows  200 rows/s  25.3k tokens/s  ETA 0:10  2 truncated, 1 failed',
    );
  });

  test('marks an estimate, and omits unknown figures', () => {
    expect(plainLine({ ...halfway, isEstimate: true })).toContain('2,000/~4,000 rows');
    expect(plainLine({ ...halfway, rowsTotal: null })).toMatch(
      /^2,000 rows {2}200 rows\/s {2}25.3k tokens\/s {2}2 trunc/,
    );
    expect(plainLine({ ...halfway, rowsPerSecond: 0 })).not.toContain('ETA');
  });

  test('shows 100% only when all rows are done', () => {
    expect(plainLine({ ...halfway, rowsDone: 3_999 })).toMatch(/^99%/);
    expect(plainLine({ ...halfway, rowsDone: 4_000 })).toMatch(/^100%/);
    expect(plainLine({ ...halfway, rowsDone: 0, rowsTotal: 0 })).toMatch(/^100%/);
  });

  test('shows the reason for waiting', () => {
    expect(plainLine({ ...halfway, waitingFor: 'Redis is away' })).toMatch(/waiting: Redis is away$/);
  });

  test('is written every five seconds', () => {
    let now = 1_000;
    const written: string[] = [];
    const display = new LineDisplay({ write: (text) => written.push(text) }, () => now);
    for (; now < 17_000; now += 250) display.show(halfway);
    expect(written).toHaveLength(3);
    display.note('something else');
    expect(written.at(-1)).toBe('something else\n');
  });
});

describe('the bar', () => {
  test('is half full halfway', () => {
    const line = drawLine(halfway, 200, unpainted);
    expect(line).toMatch(/^█{16}░{16} {2}50% {2}2,000\/4,000 rows {2}200 rows\/s {2}25.3k tokens\/s/);
  });

  test.each([20, 40, 60, 80, 100, 120, 300])('fits into a terminal with %i columns', (columns) => {
    const waiting = { ...halfway, waitingFor: 'no response from http://10.0.0.5:8080 (ECONNREFUSED)' };
    for (const snapshot of [halfway, waiting, { ...halfway, rowsTotal: null }]) {
      expect(drawLine(snapshot, columns, unpainted).length).toBeLessThan(columns);
    }
  });

  test('keeps rows and verdicts on a narrow terminal', () => {
    const line = drawLine(halfway, 75, unpainted);
    expect(line).toContain('2,000/4,000 rows');
    expect(line).toContain('2 truncated, 1 failed');
    expect(line).not.toContain('tokens/s');
  });
});

/** Figures of the Explore page: colours of the map, topics by category and topics over time. */

import { TOPIC_COLORS } from '@embedmill/analysis/map';
import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { columnValuesOf } from '../../../apps/web/src/app/explore/column-values.ts';
import { colorByColumn, NEUTRAL_COLOR } from '../../../apps/web/src/app/explore/point-colors.ts';
import { compareTopics, shareChange, topicTrend } from '../../../apps/web/src/app/explore/topic-tables.ts';

const day = (text: string) => Date.parse(`${text}T12:00:00Z`);

describe('colours', () => {
  it('go to the most frequent of many categories, and the others share one', () => {
    const codes = Array.from({ length: 40 }, (_, code) => Array<number>(code + 1).fill(code)).flat();
    const values = Array.from({ length: 40 }, (_, code) => `c${code}`);
    const { colors, palette, legend } = colorByColumn(
      columnValuesOf({ kind: 'category', values, codes: [...codes, -1] }),
      'light',
    );
    const colorOf = (code: number) => palette[colors[codes.indexOf(code)]!];
    expect(colorOf(39)).toBe(TOPIC_COLORS[0]);
    expect(colorOf(0)).toBe(NEUTRAL_COLOR);
    expect(palette[colors.at(-1)!]).toBe(NEUTRAL_COLOR);
    const names = legend.kind === 'categories' ? legend.entries.map(({ name }) => name) : [];
    expect(names.slice(0, 2)).toEqual(['c39', 'c38']);
    expect(names.slice(-2)).toEqual(['31 others', 'no value']);
  });

  it('follow the order of ratings', () => {
    const { colors, palette, legend } = colorByColumn(
      columnValuesOf({ kind: 'category', values: ['10', '1', '9'], codes: [2, 0, 1, -1] }),
      'light',
    );
    const names = legend.kind === 'categories' ? legend.entries.map(({ name }) => name) : [];
    expect(names).toEqual(['1', '9', '10', 'no value']);
    expect([...colors]).toEqual([1, 2, 0, 3]);
    expect(palette[3]).toBe(NEUTRAL_COLOR);
    expect(new Set(palette).size).toBe(4);
  });

  it('keep the order of a short list', () => {
    const { legend } = colorByColumn(
      columnValuesOf({ kind: 'category', values: ['low', 'mid', 'top'], codes: [2, 2, 0, 1] }),
      'dark',
    );
    expect(legend.kind === 'categories' && legend.entries.map(({ name }) => name)).toEqual([
      'low',
      'mid',
      'top',
    ]);
  });

  it('follow numbers, and a single extreme value does not flatten the others', () => {
    const numbers = [...Array.from({ length: 99 }, (_, n) => n), 1_000_000];
    const { colors, legend } = colorByColumn(
      columnValuesOf({ kind: 'number', numbers: [...numbers, null] }),
      'light',
    );
    expect(legend).toMatchObject({ kind: 'scale', min: 2, max: 97 });
    expect([...colors.slice(0, 99)]).toEqual([...colors.slice(0, 99)].sort((a, b) => a - b));
    expect(new Set(colors.slice(0, 99)).size).toBeGreaterThan(40);
    expect(colors[99]).toBe(colors[98]);
  });

  it.each([
    [
      'full colour vision',
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    // Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
    [
      'protanopia',
      [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
      ],
    ],
    [
      'deuteranopia',
      [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
      ],
    ],
  ])('of all categories differ with %s', (_, matrix) => {
    const seen = TOPIC_COLORS.map((color) => oklab(multiply(matrix, linear(color))));
    for (const [n, a] of seen.entries()) {
      for (const b of seen.slice(n + 1))
        expect(Math.hypot(...a.map((value, i) => value - b[i]!))).toBeGreaterThan(0.08);
    }
  });
});

describe('topics by category', () => {
  it('count the shown rows of each topic and value', () => {
    const column = columnValuesOf({ kind: 'category', values: ['a', 'b', 'c'], codes: [0, 0, 1, 1, -1, 2] });
    if (column.kind !== 'category') throw new Error('expected a category');
    const mask = Uint8Array.of(1, 1, 1, 1, 1, 0);
    const { categories, counts } = compareTopics(column, Int16Array.of(0, 1, 1, -1, 0, 0), 2, mask);
    expect(categories.map(({ name, rows }) => [name, rows])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
    expect(counts.map((row) => [...row])).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it('put rare values together', () => {
    const values = Array.from({ length: 20 }, (_, n) => `v${n}`);
    const column = columnValuesOf({
      kind: 'category',
      values,
      codes: values.flatMap((_, n) => [n, ...(n < 8 ? [n] : [])]),
    });
    if (column.kind !== 'category') throw new Error('expected a category');
    const rows = column.codes.length;
    const { categories } = compareTopics(column, new Int16Array(rows), 1, new Uint8Array(rows).fill(1));
    expect(categories.at(-1)).toMatchObject({ name: '12 others', rows: 12 });
    expect(categories).toHaveLength(9);
  });
});

describe('topics over time', () => {
  it('are counted by month, with the months between', () => {
    const times = Float64Array.of(day('2024-01-31'), day('2024-02-01'), day('2024-06-30'), Number.NaN);
    const trend = topicTrend(times, Int16Array.of(0, 0, 1, 0), 2, new Uint8Array(4).fill(1))!;
    expect(trend.unit).toBe('week');
    const months = topicTrend(
      Float64Array.of(day('2023-01-15'), ...times),
      Int16Array.of(1, 0, 0, 1, 0),
      2,
      new Uint8Array(5).fill(1),
    )!;
    expect(months.unit).toBe('month');
    expect(months.starts.map((start) => new Date(start).toISOString().slice(0, 7))).toHaveLength(18);
    expect([...months.totals].filter((n) => n > 0)).toEqual([1, 1, 1, 1]);
    expect(months.counts[0]![12]).toBe(1);
  });

  it('compare the last third of the time with the first', () => {
    const times = Float64Array.from({ length: 30 }, (_, n) => day('2024-03-01') + n * 86_400_000);
    const topics = Int16Array.from({ length: 30 }, (_, n) => Number(n >= 25));
    const trend = topicTrend(times, topics, 2, new Uint8Array(30).fill(1))!;
    expect(trend.unit).toBe('day');
    expect(shareChange(trend, trend.counts[1]!)).toBeCloseTo(50);
    expect(shareChange(trend, trend.counts[0]!)).toBeCloseTo(-50);
  });

  it('are unknown without dates', () => {
    expect(topicTrend(Float64Array.of(Number.NaN), Int16Array.of(0), 1, Uint8Array.of(1))).toBeNull();
  });
});

type Vector = readonly number[];

function linear(hex: string): Vector {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

function multiply(matrix: readonly Vector[], vector: Vector): Vector {
  return matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));
}

/** Ottosson (2020): Euclidean distances in this space are close to what people see. */
function oklab(rgb: Vector): Vector {
  const cones = multiply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map(Math.cbrt);
  return multiply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

/** Colours of the points on the map, and what each colour means. */

import { TOPIC_COLORS } from '@embedmill/analysis/map';
import type { ColumnValues } from './column-values.ts';
import { rangeOf } from './column-values.ts';

/** Rows without a value, and categories beyond those with a colour. */
export const NEUTRAL_COLOR = '#8b949e';

/** Maximum values of a category whose numbers are ranked on the scale. */
const MAX_RANKS = 12;

/** Steps of a scale of numbers. */
const SCALE_STEPS = 48;

/** Control points of viridis (van der Walt and Smith, 2015): even steps for every form of colour vision. */
const VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
] as const;

/** The part of viridis that is visible on the background of each theme. */
const VISIBLE_PART = { light: [0, 0.88], dark: [0.22, 1] } as const;

/** Share of the numbers below and above the scale: single extreme values must not flatten all others. */
const CUT_SHARE = 0.02;

/** A colour index per row, the colours, and their meaning. */
export interface PointColors {
  colors: Uint8Array;
  palette: readonly string[];
  legend: Legend;
}

/** The meaning of the colours. */
export type Legend =
  | { kind: 'categories'; entries: readonly { name: string; color: string; values: readonly string[] }[] }
  | { kind: 'scale'; unit: 'number' | 'date'; min: number; max: number; colors: readonly string[] };

/** Colours rows by topic; `colorOf` has an index into {@link TOPIC_COLORS} for each topic. */
export function colorByTopic(topicOf: Int16Array, colorOf: ArrayLike<number>): Omit<PointColors, 'legend'> {
  const neutral = TOPIC_COLORS.length;
  return {
    colors: Uint8Array.from(topicOf, (topic) => (topic < 0 ? neutral : colorOf[topic]!)),
    palette: [...TOPIC_COLORS, NEUTRAL_COLOR],
  };
}

/** Colours rows by the values of a column. */
export function colorByColumn(values: ColumnValues, theme: 'light' | 'dark'): PointColors {
  if (values.kind !== 'category') return colorByNumber(values, theme);
  return isOrdinal(values.values) ? colorByRank(values, theme) : colorByCategory(values);
}

/** Whether categories are numbers, such as ratings, so that their order means something. */
function isOrdinal(values: readonly string[]): boolean {
  return (
    values.length > 1 && values.length <= MAX_RANKS && values.every((value) => /^-?\d+(\.\d+)?$/.test(value))
  );
}

/** Even steps of the scale, from the first to the last value. */
function colorByRank(
  { values, codes }: Extract<ColumnValues, { kind: 'category' }>,
  theme: 'light' | 'dark',
): PointColors {
  const scale = scaleColors(theme);
  const ranked = [...values.keys()].sort((a, b) => Number(values[a]) - Number(values[b]));
  const palette = ranked.map(
    (_, rank) => scale[Math.round((rank * (SCALE_STEPS - 1)) / (ranked.length - 1))]!,
  );
  const rankOf = new Uint8Array(values.length);
  for (const [rank, code] of ranked.entries()) rankOf[code] = rank;
  const entries = ranked.map((code, rank) => ({
    name: values[code]!,
    color: palette[rank]!,
    values: [values[code]!],
  }));
  const isMissing = codes.some((code) => code < 0);
  return {
    colors: Uint8Array.from(codes, (code) => (code < 0 ? palette.length : rankOf[code]!)),
    palette: [...palette, NEUTRAL_COLOR],
    legend: {
      kind: 'categories',
      entries: isMissing ? [...entries, { name: 'no value', color: NEUTRAL_COLOR, values: [] }] : entries,
    },
  };
}

/** The most frequent values have colours of their own; all others share one. */
function colorByCategory({ values, codes }: Extract<ColumnValues, { kind: 'category' }>): PointColors {
  const counts = new Uint32Array(values.length);
  let missing = 0;
  for (const code of codes) {
    if (code < 0) missing += 1;
    else counts[code]! += 1;
  }
  const bySize = [...values.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b);
  const shown = bySize.slice(0, TOPIC_COLORS.length);
  // Short lists keep their own order.
  if (shown.length === values.length) shown.sort((a, b) => a - b);
  const others = bySize.slice(TOPIC_COLORS.length);
  const neutral = TOPIC_COLORS.length;
  const colorOf = new Uint8Array(values.length).fill(neutral);
  for (const [n, code] of shown.entries()) colorOf[code] = n;
  const entries = shown.map((code, n) => ({
    name: values[code]!,
    color: TOPIC_COLORS[n]! as string,
    values: [values[code]!],
  }));
  if (others.length > 0) {
    entries.push({
      name: others.length === 1 ? values[others[0]!]! : `${others.length.toLocaleString('en')} others`,
      color: NEUTRAL_COLOR,
      values: others.map((code) => values[code]!),
    });
  }
  if (missing > 0) entries.push({ name: 'no value', color: NEUTRAL_COLOR, values: [] });
  return {
    colors: Uint8Array.from(codes, (code) => (code < 0 ? neutral : colorOf[code]!)),
    palette: [...TOPIC_COLORS, NEUTRAL_COLOR],
    legend: { kind: 'categories', entries },
  };
}

function colorByNumber(
  { kind, numbers }: Extract<ColumnValues, { kind: 'number' | 'date' }>,
  theme: 'light' | 'dark',
): PointColors {
  const { min, max } = trimmedRange(numbers);
  const scale = scaleColors(theme);
  const span = max - min || 1;
  const step = (n: number) =>
    Math.min(SCALE_STEPS - 1, Math.max(0, Math.floor((SCALE_STEPS * (n - min)) / span)));
  return {
    colors: Uint8Array.from(numbers, (n) => (Number.isNaN(n) ? SCALE_STEPS : step(n))),
    palette: [...scale, NEUTRAL_COLOR],
    legend: { kind: 'scale', unit: kind, min, max, colors: scale },
  };
}

function trimmedRange(numbers: Float64Array): { min: number; max: number } {
  const sorted = numbers.filter((n) => !Number.isNaN(n)).sort();
  const cut = Math.floor(CUT_SHARE * sorted.length);
  const min = sorted[cut] ?? 0;
  const max = sorted[sorted.length - 1 - cut] ?? 0;
  return min < max ? { min, max } : (rangeOf(sorted) ?? { min: 0, max: 0 });
}

function scaleColors(theme: 'light' | 'dark'): string[] {
  const [from, to] = VISIBLE_PART[theme];
  return Array.from({ length: SCALE_STEPS }, (_, n) => {
    const at = (from + ((to - from) * n) / (SCALE_STEPS - 1)) * (VIRIDIS.length - 1);
    const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
    const mix = (channel: 0 | 1 | 2) =>
      Math.round(VIRIDIS[low]![channel] + (at - low) * (VIRIDIS[low + 1]![channel] - VIRIDIS[low]![channel]));
    return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
  });
}

/** Topics against a column: shares per category, and shares over time. */

import type { ColumnValues } from './column-values.ts';

/** Categories with a column of their own in a comparison. */
const MAX_COMPARED = 8;

/** Maximum points of a trend. */
const MAX_BUCKETS = 36;

/** Counts of topics per category. */
export interface Comparison {
  categories: readonly { name: string; values: readonly string[]; rows: number }[];
  /** Rows of each topic in each category. */
  counts: readonly Uint32Array[];
}

/** Counts of topics per interval of time. */
export interface Trend {
  unit: TimeUnit;
  /** Start of each interval, in ms since 1970 (UTC). */
  starts: readonly number[];
  /** Rows of each interval. */
  totals: Uint32Array;
  /** Rows of each topic in each interval. */
  counts: readonly Uint32Array[];
}

/** Length of the intervals of a trend. */
export type TimeUnit = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** Counts the rows of the mask by topic and category; the less frequent categories are one. */
export function compareTopics(
  { values, codes }: Extract<ColumnValues, { kind: 'category' }>,
  topicOf: Int16Array,
  topics: number,
  mask: Uint8Array,
): Comparison {
  const sizes = new Uint32Array(values.length);
  for (let row = 0; row < codes.length; row++)
    if (mask[row] === 1 && codes[row]! >= 0) sizes[codes[row]!]! += 1;
  const bySize = [...values.keys()]
    .filter((code) => sizes[code]! > 0)
    .sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const shown = bySize.slice(0, bySize.length === MAX_COMPARED + 1 ? MAX_COMPARED + 1 : MAX_COMPARED);
  const others = bySize.slice(shown.length);
  if (others.length === 0) shown.sort((a, b) => a - b);
  const place = new Int16Array(values.length).fill(-1);
  for (const [n, code] of shown.entries()) place[code] = n;
  for (const code of others) place[code] = shown.length;
  const categories = shown.map((code) => ({
    name: values[code]!,
    values: [values[code]!],
    rows: sizes[code]!,
  }));
  if (others.length > 0) {
    categories.push({
      name: `${others.length.toLocaleString('en')} others`,
      values: others.map((code) => values[code]!),
      rows: others.reduce((sum, code) => sum + sizes[code]!, 0),
    });
  }
  const counts = Array.from({ length: topics }, () => new Uint32Array(categories.length));
  for (let row = 0; row < codes.length; row++) {
    const topic = topicOf[row] ?? -1;
    if (mask[row] === 1 && topic >= 0 && codes[row]! >= 0) counts[topic]![place[codes[row]!]!]! += 1;
  }
  return { categories, counts };
}

/** Counts the rows of the mask by topic and interval; `null` without dates. */
export function topicTrend(
  times: Float64Array,
  topicOf: Int16Array,
  topics: number,
  mask: Uint8Array,
): Trend | null {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < times.length; row++) {
    if (mask[row] !== 1) continue;
    if (times[row]! < first) first = times[row]!;
    if (times[row]! > last) last = times[row]!;
  }
  if (first > last) return null;
  const unit = unitFor(first, last);
  const starts: number[] = [];
  for (let start = startOf(first, unit); start <= last; start = nextStart(start, unit)) starts.push(start);
  const totals = new Uint32Array(starts.length);
  const counts = Array.from({ length: topics }, () => new Uint32Array(starts.length));
  for (let row = 0; row < times.length; row++) {
    if (mask[row] !== 1 || Number.isNaN(times[row]!)) continue;
    const bucket = bucketOf(starts, times[row]!);
    totals[bucket]! += 1;
    const topic = topicOf[row] ?? -1;
    if (topic >= 0) counts[topic]![bucket]! += 1;
  }
  return { unit, starts, totals, counts };
}

/**
 * The change of the share of a topic from the first to the last third of the time, in percentage points; `null` if one
 * of them has no rows.
 */
export function shareChange({ totals }: Trend, counts: Uint32Array): number | null {
  const third = Math.max(1, Math.floor(totals.length / 3));
  if (totals.length < 2) return null;
  const shareIn = (from: number, to: number) => {
    const all = totals.subarray(from, to).reduce((sum, n) => sum + n, 0);
    return all === 0 ? null : counts.subarray(from, to).reduce((sum, n) => sum + n, 0) / all;
  };
  const before = shareIn(0, third);
  const after = shareIn(totals.length - third, totals.length);
  return before === null || after === null ? null : 100 * (after - before);
}

const DAY_MS = 86_400_000;

/** The shortest unit with few enough intervals. */
function unitFor(first: number, last: number): TimeUnit {
  const days = (last - first) / DAY_MS;
  const lengths = { day: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };
  const units = Object.keys(lengths) as TimeUnit[];
  return units.find((unit) => days / lengths[unit] < MAX_BUCKETS) ?? 'year';
}

function startOf(time: number, unit: TimeUnit): number {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const day = Date.UTC(year, month, date.getUTCDate());
  if (unit === 'day') return day;
  // Weeks start on Monday.
  if (unit === 'week') return day - ((date.getUTCDay() + 6) % 7) * DAY_MS;
  if (unit === 'month') return Date.UTC(year, month);
  return Date.UTC(year, unit === 'quarter' ? 3 * Math.floor(month / 3) : 0);
}

function nextStart(start: number, unit: TimeUnit): number {
  if (unit === 'day') return start + DAY_MS;
  if (unit === 'week') return start + 7 * DAY_MS;
  const date = new Date(start);
  const months = unit === 'month' ? 1 : unit === 'quarter' ? 3 : 12;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}

/** Position of the last start that is not after the time. */
function bucketOf(starts: readonly number[], time: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
